"""What keeps Jobs and trainings from being made: a name that others have, or the API server's answer."""

from collections.abc import Iterator

from lsb_operator import names
from lsb_operator.facts import Facts, Key
from lsb_operator.failures import admission, prerequisites
from lsb_operator.failures.failure import Failure


def beginning(facts: Facts, key: Key) -> Failure | None:
    """Why this Job or training could not be made just now; None where it could, or was not tried."""
    name = f"{key[0]} {key[1]}"
    if name in facts.refused:
        return prerequisites.conflict(facts, name)
    answer = facts.held.get(key)
    return admission.child(key, answer) if answer else None


def held_up(facts: Facts) -> Iterator[Failure]:
    """Why the training whose turn it is does not begin: it, its Job or the pods of that are refused."""
    for key, answer in sorted(facts.held.items()):
        if key[0] == "LabelStudioTraining" or key[1].endswith("-train"):
            yield admission.child(key, answer)
    with_pods = {pod.job for pod in facts.pods if pod.phase in ("Pending", "Running")}
    for (kind, name), job in sorted(facts.children.items()):
        labels = job.metadata.get("labels") or {}
        waits = kind == "Job" and labels.get(names.COMPONENT) == "train" and name not in with_pods
        refused = (
            admission.workload((kind, name), job) if waits and not job.status.get("conditions") else None
        )
        if refused is not None:
            yield refused
