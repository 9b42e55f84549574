"""Volumes that are not there yet, or that a node cannot mount."""

from lsb_operator.facts import Observed, PodFacts
from lsb_operator.failures.failure import Failure, field_of, one_line
from lsb_operator.names import COMPONENT
from lsb_operator.reasons import Reason


def claim(name: str, observed: Observed) -> Failure | None:
    """Why a PersistentVolumeClaim is not bound; waiting for the first pod that uses it is as it should be."""
    phase = observed.status.get("phase")
    if phase == "Lost":
        what = f"PersistentVolumeClaim {name} has lost its volume"
        remedy = "restore the PersistentVolume that spec.volumeName of the claim names, or delete the claim"
        return Failure(Reason.VOLUME_PENDING, what, remedy, stalled=True)
    newest = next(iter(observed.events), None)
    if phase == "Bound" or newest is None or newest.reason == "WaitForFirstConsumer":
        return None
    words = one_line(newest.message)
    what = f"PersistentVolumeClaim {name} is not bound; the cluster says: {words}"
    if "storageclass" in words and "not found" in words:
        remedy = "create that StorageClass, or correct the spec and delete the claim, which cannot be changed"
        return Failure(Reason.VOLUME_PENDING, what, remedy, stalled=True)
    if "no storage class is set" in words:
        remedy = f"set {_fields(observed)}, or make a StorageClass the default"
        return Failure(Reason.VOLUME_PENDING, what, remedy, stalled=True)
    remedy = "wait for the provisioner, or read its log if it stays so"
    return Failure(Reason.VOLUME_PENDING, what, remedy)


def _fields(observed: Observed) -> str:
    """The fields of the spec that say where the volume of a claim comes from."""
    component = (observed.metadata.get("labels") or {}).get(COMPONENT, "")
    if component == "redis":
        return f"{field_of(component)}.storageClassName"
    return "spec.storage.storageClassName or existingClaim"


def mount(pod: PodFacts) -> Failure | None:
    """A volume that the node of a pod cannot mount."""
    if pod.mount is None or pod.ready:
        return None
    what = f"Node {pod.node} cannot mount a volume of pod {pod.name}; it says: {one_line(pod.mount)}"
    if "Multi-Attach" in pod.mount or "already used by pod" in pod.mount:
        remedy = "end the pod on the other node that still uses the volume, or use a ReadWriteMany volume"
    else:
        remedy = "see that the volume and its driver work on that node"
    return Failure(Reason.VOLUME_NOT_MOUNTED, what, remedy)
