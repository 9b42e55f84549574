"""All that keeps a backend from serving, the first cause first."""

from collections.abc import Iterator

from lsb_operator.asking import in_this_life
from lsb_operator.facts import Facts, PodFacts
from lsb_operator.failures import prerequisites
from lsb_operator.failures.beginnings import held_up
from lsb_operator.failures.failure import Failure, one_line
from lsb_operator.failures.pods import pod_failure
from lsb_operator.reasons import Reason


def serving_failures(facts: Facts) -> Iterator[Failure]:
    """Failures of a backend that does not serve as it should, the first cause first."""
    yield from prerequisites.conflicts(facts)
    yield from prerequisites.needs(facts)
    yield from preparation(facts)
    yield from _pods(facts)


def preparation(facts: Facts) -> Iterator[Failure]:
    """Why there is no first version."""
    if facts.target is not None:
        return
    yield from held_up(facts)
    tried = [
        one
        for one in facts.trainings
        if one.reason == "Prepare" and one.phase != "Superseded" and in_this_life(facts, one)
    ]
    newest = max(tried, key=lambda one: (str(one.created_at), one.name), default=None)
    if newest is None:
        return
    if newest.phase == "Failed":
        words = one_line(str(newest.result.get("message") or newest.message or "it left no message"))
        what = f"The first version could not be made: {words}"
        remedy = (
            "correct spec.model.weights or what the message names; to try again: "
            f"kubectl -n {facts.namespace} delete lstraining {newest.name}"
        )
        yield Failure(Reason.PREPARATION_FAILED, what, remedy, stalled=True)
        return
    yield from _of(facts, [pod for pod in facts.pods if pod.component == "prepare"])


def _pods(facts: Facts) -> Iterator[Failure]:
    pods = [pod for pod in facts.pods if pod.component == "serve"]
    for pod in pods:
        if pod.ready and pod.served and pod.served.error and pod.served.version != facts.target:
            what = f"Pod {pod.name} cannot load version {facts.target}: {one_line(pod.served.error)}"
            remedy = f"read its log: kubectl -n {facts.namespace} logs {pod.name}"
            yield Failure(
                Reason.SWAP_FAILED, f"{what}; it serves version {pod.served.version} meanwhile", remedy
            )
    yield from _of(facts, [pod for pod in pods if not pod.ready])


def _of(facts: Facts, pods: list[PodFacts]) -> Iterator[Failure]:
    """The newest pod first: older ones may be of a spec that has been corrected since."""
    for pod in sorted(pods, key=lambda one: (str(one.created_at), one.name), reverse=True):
        found = pod_failure(pod, facts.namespace, facts.now)
        # A new version's crash is undone by going back, without anybody's help.
        reversible = facts.previous is not None and facts.previous != facts.target
        if found and reversible and found.reason in (Reason.CRASHING, Reason.OUT_OF_MEMORY):
            found = Failure(found.reason, found.what, found.remedy)
        if found:
            yield found
