"""A backend's state in one word, for people: derived from the conditions and nothing else."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from lsb_crds.conditions import BackendCondition
from lsb_crds.status import BackendPhase
from lsb_operator.facts import Manifest
from lsb_operator.reasons import Reason

_MAKING = (Reason.PREPARING, Reason.PAUSED_FOR_TRAINING)
_MOVING = (Reason.ROLLING_OUT, Reason.SCALING_DOWN)
_STARTING = (Reason.APPLYING, Reason.DEPLOYING)
_WAITING = (
    Reason.QUOTA_EXCEEDED,
    Reason.VOLUME_PENDING,
    Reason.GPU_NOT_AVAILABLE,
    Reason.NO_NODE_FITS,
    Reason.IMAGE_NOT_PULLED,
)

MEANINGS: Final[Mapping[BackendPhase, str]] = MappingProxyType(
    {
        "Pending": "It has not served yet, and waits for the cluster: a node, a volume, an image.",
        "Preparing": "The first version is being made, or a training has borrowed the serving pods' GPU.",
        "Ready": "It serves what it should.",
        "RollingOut": "It serves, while pods are changed, added or taken away.",
        "Degraded": "Something is wrong: pods fail, a version was rolled back, Label Studio refuses.",
        "Suspended": "spec.suspend holds.",
        "Stalled": "It waits for a person: the message of the condition Stalled says for what.",
    }
)


def phase(conditions: Iterable[Manifest], serving: bool) -> BackendPhase:
    """The phase; `serving` says whether any pod answers, be it with an older version."""
    found = {one["type"]: one for one in conditions}
    if BackendCondition.SUSPENDED in found:
        return "Suspended"
    if BackendCondition.STALLED in found:
        return "Stalled"
    if found[BackendCondition.READY]["status"] == "True":
        return "Degraded" if _troubled(found) else "Ready"
    return _not_ready(found[BackendCondition.READY]["reason"], serving)


def _not_ready(reason: str, serving: bool) -> BackendPhase:
    if reason in _MAKING:
        return "Preparing"
    if reason in _MOVING or (reason in _STARTING and serving):
        return "RollingOut"
    if reason == Reason.DELETING or reason in _STARTING or (reason in _WAITING and not serving):
        return "Pending"
    return "Degraded"


def _troubled(found: dict[str, Manifest]) -> bool:
    """Whether something is wrong beside serving, which goes on."""
    unregistered = found.get(BackendCondition.REGISTERED, {}).get("status") == "False"
    without_redis = found[BackendCondition.READY]["reason"] == Reason.REDIS_DOWN
    return unregistered or without_redis or BackendCondition.ROLLED_BACK in found
