"""What is wrong with one pod: the first failure in the order of a pod's life."""

from datetime import datetime

from lsb_operator.facts import PodFacts
from lsb_operator.failures import containers, references, scheduling, volumes
from lsb_operator.failures.failure import Failure


def pod_failure(pod: PodFacts, namespace: str, now: datetime) -> Failure | None:
    """The failure of a pod; None for one that works, ends, or is still starting as it should."""
    if pod.deleting or pod.phase == "Succeeded":
        return None
    for thing in references.missing((pod,), namespace):
        return references.reference(thing)
    return (
        containers.eviction(pod)
        or scheduling.scheduling(pod)
        or volumes.mount(pod)
        or containers.image(pod)
        or containers.crash(pod, namespace)
        or containers.creation(pod)
        or containers.probe(pod, namespace, now)
    )
