"""Whether a backend serves what it should, and what it waits for if not."""

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolved import Resolved
from lsb_operator.facts import NOTHING, Facts, Observed, PodFacts, TrainingFacts
from lsb_operator.failures.failure import Failure, one_line
from lsb_operator.failures.prerequisites import conflicts
from lsb_operator.failures.redis import redis_down
from lsb_operator.failures.serving import serving_failures
from lsb_operator.reasons import Reason
from lsb_operator.verdict import Verdict, failed

_WORKING = ("Running", "Evaluating")


def ready(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Verdict:
    """The verdict for Ready. Where it is False, the first cause gives reason and message."""
    return (
        _ending(facts)
        or _suspended(backend)
        or _conflict(facts)
        or _serving(backend, resolved, facts)
        or _paused(backend, facts)
        or _failing(facts)
        or _on_the_way(backend, resolved, facts)
    )


def stalling(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Failure | None:
    """The first failure that only a person can end; None while the backend serves as it should."""
    if facts.deleting or backend.spec.suspend or ready(backend, resolved, facts).status == "True":
        return None
    return next((one for one in serving_failures(facts) if one.stalled), None)


def serving_version(pod: PodFacts, resolved: Resolved) -> str | None:
    """The version a pod serves: its own word, else the version that it was started for. None: not known."""
    if pod.served and pod.served.version:
        return pod.served.version
    # A pod that swaps its model outlives the version that it was started for.
    return None if resolved.rollout == "InPlace" else pod.version


def deployment(facts: Facts) -> Observed | None:
    """The Deployment of the serving pods."""
    return facts.children.get(("Deployment", facts.name))


def _ending(facts: Facts) -> Verdict | None:
    if not facts.deleting:
        return None
    return Verdict("False", Reason.DELETING, "The backend is being deleted.")


def _suspended(backend: LabelStudioBackend) -> Verdict | None:
    if not backend.spec.suspend:
        return None
    message = "No pods run while spec.suspend holds. To do: set it to false to serve again."
    return Verdict("False", Reason.SUSPENDED, message)


def _conflict(facts: Facts) -> Verdict | None:
    first = next(conflicts(facts), None)
    return failed(first) if first else None


def _serving(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Verdict | None:
    """The verdict True, if all pods asked for serve the target and nothing is left to be applied."""
    observed, asked = deployment(facts), backend.spec.serving.replicas
    if observed is None or facts.target is None or facts.unapplied or not _seen(observed):
        return None
    counts = [observed.status.get(name) or 0 for name in ("replicas", "updatedReplicas", "readyReplicas")]
    if counts != [asked] * 3 or _behind(resolved, facts):
        return None
    if asked == 0:
        return Verdict("True", Reason.SCALED_TO_ZERO, "No pods are asked for (spec.serving.replicas is 0).")
    redis = redis_down(facts)
    message = f"{_pods(asked)} {'serves' if asked == 1 else 'serve'} version {facts.target}."
    if redis:
        return Verdict("True", redis.reason, f"{message} {redis.message}")
    return Verdict("True", Reason.SERVING, message)


def _paused(backend: LabelStudioBackend, facts: Facts) -> Verdict | None:
    observed = deployment(facts)
    borrowing = next((one for one in facts.trainings if one.phase in _WORKING), None)
    if backend.spec.training.while_training != "Pause" or borrowing is None or facts.target is None:
        return None
    if observed is None or observed.status.get("readyReplicas"):
        return None
    message = f"The serving pods have lent their place to training {borrowing.name}, and come back after it."
    return Verdict("False", Reason.PAUSED_FOR_TRAINING, message + _said_by(borrowing))


def _failing(facts: Facts) -> Verdict | None:
    first = next(serving_failures(facts), None)
    return failed(first) if first else None


def _on_the_way(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Verdict:
    """Nothing is wrong, and the backend is not ready yet."""
    observed, asked = deployment(facts), backend.spec.serving.replicas
    if facts.unapplied:
        return Verdict("False", Reason.APPLYING, f"{len(facts.unapplied)} children are being applied.")
    if facts.target is None:
        message = "The first version is being made from the weights of the spec; pods start after it."
        queued = [one for one in facts.trainings if one.reason == "Prepare" and one.phase == "Queued"]
        return Verdict("False", Reason.PREPARING, message + "".join(map(_said_by, queued)))
    status = observed.status if observed else NOTHING
    if observed is None or not _seen(observed):
        return Verdict("False", Reason.APPLYING, "The Deployment is being made or changed.")
    there, updated = status.get("replicas") or 0, status.get("updatedReplicas") or 0
    up = status.get("readyReplicas") or 0
    behind = len(_behind(resolved, facts))
    if behind or (up and updated < there):
        done = max(0, min(updated, asked) - behind)
        message = f"{done} of {asked} pods have version {facts.target}; the others are about to."
        return Verdict("False", Reason.ROLLING_OUT, message)
    if there > asked:
        return Verdict("False", Reason.SCALING_DOWN, f"{_pods(there)} run, and {asked} are asked for.")
    message = f"{up} of {asked} pods are ready to serve version {facts.target}."
    return Verdict("False", Reason.DEPLOYING, message)


def _said_by(training: TrainingFacts) -> str:
    """What a training waits for; nothing once it learns, since each epoch would be another message."""
    if not training.message or training.progress.get("epochs"):
        return ""
    return f" Training {training.name} says: {one_line(training.message)}."


def _seen(observed: Observed) -> bool:
    """Whether the Deployment's counts are about its present spec."""
    return int(observed.status.get("observedGeneration") or 0) >= int(
        observed.metadata.get("generation") or 0
    )


def _behind(resolved: Resolved, facts: Facts) -> list[PodFacts]:
    """Ready pods that are known to serve something else than the target."""
    pods = [pod for pod in facts.pods if pod.component == "serve" and pod.ready]
    return [pod for pod in pods if serving_version(pod, resolved) not in (None, facts.target)]


def _pods(count: int) -> str:
    return "1 pod" if count == 1 else f"{count} pods"
