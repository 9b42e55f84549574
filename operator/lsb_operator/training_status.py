"""How a training stands -> the part of its status that the operator owns. Pure."""

from datetime import datetime
from typing import Literal

from lsb_crds.conditions import TrainingCondition
from lsb_operator.actions import ApplyTrainingStatus
from lsb_operator.attempt import DECIDED, Standing
from lsb_operator.facts import Manifest, TrainingFacts
from lsb_operator.times import written

_LONGEST_MESSAGE = 4096
Truth = Literal["True", "False", "Unknown"]


def record(
    training: TrainingFacts, standing: Standing, now: datetime, backend_uid: str
) -> ApplyTrainingStatus | None:
    """The status to apply; None if it is what the resource says already."""
    status = training_status(training, standing, now, backend_uid)
    known = {key: training.status.get(key) for key in status}
    return None if known == status else ApplyTrainingStatus(training.name, status)


def training_status(training: TrainingFacts, standing: Standing, now: datetime, backend_uid: str) -> Manifest:
    """All that the operator owns; `progress` is the trainer's. The UID is "" for a backend that is gone."""
    finished = training.finished_at or (now if standing.phase in DECIDED else None)
    # Under which backend it ended does not change any more, nor is it guessed later.
    uid = training.status.get("backendUID") if training.finished_at else backend_uid
    result = standing.result
    status = {
        "phase": standing.phase,
        "job": standing.job,
        "attempts": standing.attempts,
        "promoted": standing.promoted,
        "message": standing.message[:_LONGEST_MESSAGE],
        "startedAt": written(standing.started_at) if standing.started_at else None,
        "finishedAt": written(finished) if finished else None,
        "backendUID": uid if finished else None,
        "result": result.model_dump(mode="json", by_alias=True, exclude_none=True) if result else None,
        "conditions": _conditions(training, standing, now),
        "observedGeneration": training.generation,
    }
    return {key: value for key, value in status.items() if value is not None}


def _conditions(training: TrainingFacts, standing: Standing, now: datetime) -> list[Manifest]:
    found: list[tuple[TrainingCondition, Truth]] = [(TrainingCondition.SUCCEEDED, _succeeded(standing))]
    if standing.job is not None and standing.phase not in DECIDED:
        found.append((TrainingCondition.RECONCILING, "True"))
    if standing.phase == "Failed" or standing.stalled:
        found.append((TrainingCondition.STALLED, "True"))
    before = {one.get("type"): one for one in training.status.get("conditions") or []}
    return [
        {
            "type": str(kind),
            "status": truth,
            "observedGeneration": training.generation,
            "lastTransitionTime": _since(before.get(str(kind)), truth, now),
            "reason": standing.reason,
            "message": standing.message[:_LONGEST_MESSAGE],
        }
        for kind, truth in found
    ]


def _succeeded(standing: Standing) -> Truth:
    if standing.phase in ("Failed", "Superseded"):
        return "False"
    return "True" if standing.phase in DECIDED else "Unknown"


def _since(before: Manifest | None, truth: Truth, now: datetime) -> str:
    if before is not None and before.get("status") == truth and before.get("lastTransitionTime"):
        return str(before["lastTransitionTime"])
    return written(now)
