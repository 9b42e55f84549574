"""The Events that a change of a backend's status deserves: on transitions, never for a state that goes on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lsb_crds.conditions import BackendCondition
from lsb_operator.facts import Manifest
from lsb_operator.reasons import REFUSALS, Reason

LONGEST_MESSAGE = 1024
_ORDINARY = (
    Reason.APPLYING,
    Reason.PREPARING,
    Reason.DEPLOYING,
    Reason.ROLLING_OUT,
    Reason.SCALING_DOWN,
    Reason.PAUSED_FOR_TRAINING,
    Reason.SUSPENDED,
    Reason.DELETING,
    Reason.REGISTERING,
    Reason.REGISTRATION_PENDING,
)


@dataclass(frozen=True, slots=True)
class Event:
    """An Event to post: what `kubectl describe` shows below the status."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def events(old: Manifest | None, new: Manifest) -> list[Event]:
    """Events for the step from one status to the next, without repeats; none where nothing happened."""
    before, after = _conditions(old or {}), _conditions(new)
    found = [
        *_readiness(before, after),
        *_troubles(before, after),
        *_registration(before, after),
        *_versions(old or {}, new),
        *_trainings(old or {}, new),
    ]
    return list(dict.fromkeys(found))


def _readiness(before: dict[str, Manifest], after: dict[str, Manifest]) -> Iterator[Event]:
    old, new = before.get(BackendCondition.READY, {}), after.get(BackendCondition.READY, {})
    if new.get("status") == "True" != old.get("status"):
        yield _event("Normal", "Ready", new["message"])
    flipped = (old.get("status"), old.get("reason")) != (new.get("status"), new.get("reason"))
    if new and flipped and new["reason"] not in (*_ORDINARY, Reason.SERVING, Reason.SCALED_TO_ZERO):
        yield _event("Warning", new["reason"], new["message"])


def _troubles(before: dict[str, Manifest], after: dict[str, Manifest]) -> Iterator[Event]:
    for kind in (BackendCondition.STALLED, BackendCondition.ROLLED_BACK):
        if _moved(before, after, kind) and kind in after:
            reason = after[kind]["reason"] if kind is BackendCondition.STALLED else "RolledBack"
            yield _event("Warning", reason, after[kind]["message"])
    stuck = after.get(BackendCondition.TRAINING_SUCCEEDED, {})
    if _moved(before, after, BackendCondition.TRAINING_SUCCEEDED) and stuck.get("reason") in REFUSALS:
        yield _event("Warning", stuck["reason"], stuck["message"])
    was, is_now = BackendCondition.SUSPENDED in before, BackendCondition.SUSPENDED in after
    if is_now and not was:
        yield _event("Normal", "Suspended", after[BackendCondition.SUSPENDED]["message"])
    if was and not is_now:
        yield _event("Normal", "Resumed", "spec.suspend no longer holds: pods and trainings come back.")


def _registration(before: dict[str, Manifest], after: dict[str, Manifest]) -> Iterator[Event]:
    new = after.get(BackendCondition.REGISTERED)
    if new is None or not _moved(before, after, BackendCondition.REGISTERED):
        return
    if new["reason"] not in _ORDINARY:
        yield _event("Normal" if new["status"] == "True" else "Warning", new["reason"], new["message"])


def _versions(old: Manifest, new: Manifest) -> Iterator[Event]:
    before, after = old.get("model") or {}, new.get("model") or {}
    target = after.get("target")
    if target and target != before.get("target"):
        origin = f" in place of {before['target']}" if before.get("target") else ""
        yield _event("Normal", "RollingOut", f"Version {target} is to be served{origin}.")


def _trainings(old: Manifest, new: Manifest) -> Iterator[Event]:
    started = (new.get("training") or {}).get("name")
    running = (new.get("training") or {}).get("phase") == "Running"
    if running and _running(old) != started:
        yield _event("Normal", "TrainingStarted", f"Training {started} is running.")
    # A status that is new tells of old trainings too.
    known = {(line["name"], line["phase"]) for line in old.get("lastTrainings") or []} if old else None
    for line in reversed(new.get("lastTrainings") or []):
        # What a person decides on has ended twice.
        if known is not None and (line["name"], line["phase"]) not in known:
            failed = line["phase"] == "Failed"
            yield _event(
                "Warning" if failed else "Normal", f"Training{line['phase']}", f"Training {_outcome(line)}."
            )


def _running(status: Manifest) -> str | None:
    training = status.get("training") or {}
    return training.get("name") if training.get("phase") in ("Running", "Evaluating") else None


def _outcome(line: Manifest) -> str:
    version = f", candidate {line['version']}" if line.get("version") else ""
    return f"{line['name']} ended: {line['phase']}{version}"


def _moved(before: dict[str, Manifest], after: dict[str, Manifest], kind: str) -> bool:
    old, new = before.get(kind, {}), after.get(kind, {})
    return (old.get("status"), old.get("reason")) != (new.get("status"), new.get("reason"))


def _conditions(status: Manifest) -> dict[str, Manifest]:
    return {one["type"]: one for one in status.get("conditions") or []}


def _event(kind: Literal["Normal", "Warning"], reason: str, message: str) -> Event:
    short = message if len(message) <= LONGEST_MESSAGE else message[: LONGEST_MESSAGE - 1] + "…"
    return Event(kind, reason, short)
