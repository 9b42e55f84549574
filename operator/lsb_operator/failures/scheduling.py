"""Pods that no node takes, in the scheduler's own words."""

import re

from lsb_operator.facts import PodFacts
from lsb_operator.failures.failure import Failure, field_of, one_line
from lsb_operator.reasons import Reason

_GPU = re.compile(r"Insufficient (\S*gpu\S*)", re.IGNORECASE)
_CLAIM_MISSING = re.compile(r'persistentvolumeclaim "([^"]+)" not found')
_AFTERTHOUGHTS = re.compile(r"[.,]? *(no new claims to deallocate|preemption:).*$", re.DOTALL)


def scheduling(pod: PodFacts) -> Failure | None:
    """Why the pod is on no node. None if it is on one, or waits for a volume that has its own failure."""
    words = pod.unschedulable
    if words is None or pod.node is not None or _CLAIM_MISSING.search(words):
        return None
    # What preemption would not help with is said twice otherwise.
    words = one_line(_AFTERTHOUGHTS.sub("", words))
    where = field_of(pod.component)
    gpu = _GPU.search(words)
    if gpu:
        resource = gpu[1].rstrip(".,")
        what = f"No node has a free GPU for pod {pod.name}; the scheduler says: {words}"
        remedy = f"add or free a node with {resource}, or lower {where}.resources.limits"
        return Failure(Reason.GPU_NOT_AVAILABLE, what, remedy)
    what = f"No node takes pod {pod.name}; the scheduler says: {words}"
    return Failure(Reason.NO_NODE_FITS, what, _remedy(words, where))


def missing_claims(pod: PodFacts) -> list[str]:
    """Names of the PersistentVolumeClaims that the scheduler did not find."""
    return _CLAIM_MISSING.findall(pod.unschedulable or "")


def _remedy(words: str, where: str) -> str:
    remedies = (
        ("unbound immediate PersistentVolumeClaims", "see why the claim is not bound: kubectl describe pvc"),
        ("node affinity/selector", f"label a node to fit {where}.nodeSelector and affinity, or change them"),
        ("untolerated taint", f"add a toleration to {where}.tolerations, or a node without the taint"),
        ("volume node affinity", "make room on the node that holds the volume: it can be used there only"),
        ("pod affinity rules", "make room on the node of the other pods: a ReadWriteOnce volume ties them"),
        ("unschedulable", "uncordon a node, or add one"),
        ("scheduling gates", "wait for the queue that admits it"),
        ("Insufficient", f"add a node, free its resources, or lower {where}.resources.requests"),
        ("Too many pods", "add a node: those there are hold as many pods as they may"),
        ("no nodes available", "add a node to the cluster"),
    )
    found = [remedy for part, remedy in remedies if part in words]
    return "; or ".join(found) or f"compare {where} with the nodes: kubectl describe nodes"
