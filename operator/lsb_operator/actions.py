"""What the pure functions ask the reconciler to do; each is harmless when it is done twice."""

from dataclasses import dataclass

from lsb_operator.events import Event
from lsb_operator.facts import Manifest

ENDED_SECONDS = 1
"""The deadline by which EndJob ends and marks a Job; none is made with it."""


@dataclass(frozen=True, slots=True)
class CreateJob:
    """POST the Job, once: a 409 means that it is there, and nothing of it is ever applied again."""

    manifest: Manifest


@dataclass(frozen=True, slots=True)
class DeleteJob:
    """Say `event`, and delete the Job and its pods (propagation Background) if it still has this uid."""

    name: str
    uid: str
    why: str
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class EndJob:
    """Patch `spec.activeDeadlineSeconds` to a second: a Job that runs fails, and its record stays.

    One that has ended is marked by it: what it has done is being undone.
    """

    name: str


@dataclass(frozen=True, slots=True)
class KeepJobFor:
    """Patch `spec.ttlSecondsAfterFinished` of a Job whose result is recorded."""

    name: str
    seconds: int


@dataclass(frozen=True, slots=True)
class CreateTraining:
    """POST the LabelStudioTraining; a 409 means that somebody asked for the same one."""

    manifest: Manifest


@dataclass(frozen=True, slots=True)
class DeleteTraining:
    """Delete a LabelStudioTraining that is history, if it still has this uid."""

    name: str
    uid: str
    why: str


@dataclass(frozen=True, slots=True)
class ApplyTrainingStatus:
    """Apply all that the operator owns of a training's status: what is left out is removed."""

    name: str
    status: Manifest


@dataclass(frozen=True, slots=True)
class SetFinalizer:
    """Add the finalizer `lsbackends.dev/registration` to the backend, or take it away, and say `event`."""

    present: bool
    event: Event | None = None


Action = (
    CreateJob
    | DeleteJob
    | EndJob
    | KeepJobFor
    | CreateTraining
    | DeleteTraining
    | ApplyTrainingStatus
    | SetFinalizer
)


@dataclass(frozen=True, slots=True)
class Next:
    """What to do now, in this order, and after how many seconds to look again (None: on the next event)."""

    actions: tuple[Action, ...] = ()
    later: float | None = None


def sooner(*delays: float | None) -> float | None:
    """The least of the delays that are given."""
    return min((delay for delay in delays if delay is not None), default=None)
