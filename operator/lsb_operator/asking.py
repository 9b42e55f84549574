"""Trainings that the operator asks for itself: the first version, and what a schedule is due for. Pure."""

from datetime import UTC, datetime
from typing import Any

from lsb_crds.automatic import AUTOMATIC, Known, automatic_name
from lsb_crds.backend import LabelStudioBackend
from lsb_crds.contract import API_VERSION
from lsb_crds.resolved import Resolved
from lsb_crds.results import TrainingReason
from lsb_operator import marks
from lsb_operator.actions import CreateTraining, DeleteTraining, Next
from lsb_operator.attempt import DECIDED, FINAL
from lsb_operator.children.digest import digest
from lsb_operator.children.metadata import metadata
from lsb_operator.facts import Facts, TrainingFacts
from lsb_operator.schedule import is_due, next_due
from lsb_operator.times import time_of


def ask(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Next:
    """What to ask for now, and when the schedule is due next."""
    if backend.spec.suspend or facts.deleting:
        return Next()
    first = _first_version(backend, resolved, facts)
    return first if first is not None else _scheduled(backend, facts)


def in_this_life(facts: Facts, training: TrainingFacts) -> bool:
    """Whether a training did not end before this backend was made: a deleted one may have had its name."""
    recorded_for = training.status.get("backendUID")
    if recorded_for is not None:
        return bool(recorded_for == facts.backend["metadata"].get("uid"))
    # Not ended yet, or recorded by a release that knew times alone, which are whole seconds.
    born = time_of(facts.backend["metadata"].get("creationTimestamp"))
    return training.finished_at is None or born is None or training.finished_at >= born


def _first_version(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Next | None:
    """Ask for the first version of the task, unless that is done, under way, or failed for the same spec."""
    task = backend.spec.model.task
    name = prepare_name(backend, resolved)
    prepares = [one for one in facts.trainings if one.reason == "Prepare" and not one.deleting]
    current = [one for one in prepares if in_this_life(facts, one)]
    done = [one for one in current if one.phase == "Succeeded"]
    of_this_task = any(one.annotations.get(marks.PREPARES) in (None, task) for one in done)
    # Not by the target: a pin makes one of what may be in no store, and keeps it when it is taken back.
    if of_this_task or (facts.promoted is not None and not done):
        return None
    if any(one.name == name for one in current) or any(one.phase not in FINAL for one in current):
        return Next()
    earlier = next((one for one in prepares if one.name == name), None)
    if earlier is not None:
        return Next((DeleteTraining(earlier.name, earlier.uid, "it was for a backend that is gone"),))
    return Next((_create(backend, name, "Prepare", {marks.PREPARES: task}),))


def prepare_name(backend: LabelStudioBackend, resolved: Resolved) -> str:
    """The name of the training that makes the first version of this spec: another spec is another try."""
    # A name of 40 characters leaves twelve.
    made_from = digest([backend.spec.model.task, resolved.weights, resolved.train_image])
    return f"{backend.metadata.name}-prepare-{made_from[:3]}"


def _scheduled(backend: LabelStudioBackend, facts: Facts) -> Next:
    triggers = backend.spec.training.triggers
    if triggers.schedule is None or backend.spec.model.task == "dummy" or facts.target is None:
        return Next()
    since = _taught_since(facts)
    if not is_due(triggers.schedule, triggers.time_zone, since, facts.now):
        due = next_due(triggers.schedule, triggers.time_zone, facts.now)
        return Next(later=(due - facts.now).total_seconds() if due else None)
    known = (Known(one.name, one.reason, one.phase) for one in facts.trainings)
    name = automatic_name(backend.metadata.name, known)
    waiting = any(
        one.reason in AUTOMATIC and one.phase not in DECIDED and not one.started_at for one in facts.trainings
    )
    if waiting or any(one.name == name for one in facts.trainings):
        return Next()
    return Next((_create(backend, name, "Schedule", {}),))


def _taught_since(facts: Facts) -> datetime:
    """Since when a time of the schedule counts as missed.

    Whatever training began after that time has learned all that a scheduled one would have. A schedule does
    not reach back before it was written, of which the API server keeps the time.
    """
    learned = [one.started_at for one in facts.trainings if one.reason != "Prepare"]
    asked = [one.created_at for one in facts.trainings if one.reason == "Schedule"]
    born = time_of(facts.backend["metadata"].get("creationTimestamp"))
    times = [*learned, *asked, born, _written_at(facts.backend["metadata"])]
    return max((time for time in times if time is not None), default=datetime.min.replace(tzinfo=UTC))


def _written_at(metadata: dict[str, Any]) -> datetime | None:
    """When whoever owns the schedule last changed anything of the spec."""
    owners = [
        entry
        for entry in metadata.get("managedFields") or []
        if not entry.get("subresource") and _owns_schedule(entry.get("fieldsV1") or {})
    ]
    return max((at for one in owners if (at := time_of(one.get("time")))), default=None)


def _owns_schedule(fields: dict[str, Any]) -> bool:
    for part in ("f:spec", "f:training", "f:triggers", "f:schedule"):
        if part not in fields:
            return False
        fields = fields[part]
    return True


def _create(
    backend: LabelStudioBackend, name: str, reason: TrainingReason, annotations: dict[str, str]
) -> CreateTraining:
    about = metadata(backend, name, "train")
    # It may be deleted at any time, and its backend does not wait for it.
    owners = [
        {key: value for key, value in owner.items() if key != "blockOwnerDeletion"}
        for owner in about.get("ownerReferences", [])
    ]
    about |= {"annotations": annotations} if annotations else {}
    about |= {"ownerReferences": owners} if owners else {}
    return CreateTraining(
        {
            "apiVersion": API_VERSION,
            "kind": "LabelStudioTraining",
            "metadata": about,
            "spec": {"backend": backend.metadata.name, "reason": reason},
        }
    )
