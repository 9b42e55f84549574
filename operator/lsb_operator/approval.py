"""What becomes of a training that awaits a person's approval. Pure."""

from collections.abc import Sequence

from lsb_crds.results import TrainingPhase
from lsb_operator import marks
from lsb_operator.attempt import Standing, recorded_attempts
from lsb_operator.facts import TrainingFacts
from lsb_operator.results import read_result
from lsb_operator.versions import sequence

Words = tuple[TrainingPhase, str, str]


def decide(training: TrainingFacts, trainings: Sequence[TrainingFacts]) -> Standing | None:
    """How a training stands that awaited approval; None while it still does, and for any other."""
    result = read_result(training.result)
    if training.phase != "AwaitingApproval" or result is None:
        return None
    found = _verdict(training, trainings)
    if found is None:
        return None
    phase, reason, message = found
    attempts = recorded_attempts(training)
    return Standing(phase, reason, message, training.job, attempts, training.started_at, result)


def _verdict(training: TrainingFacts, trainings: Sequence[TrainingFacts]) -> Words | None:
    version = training.result["version"]
    said = training.annotations.get(marks.APPROVED, "").strip().lower()
    if said == "true":
        return "Succeeded", "Approved", f"version {version} was approved"
    if said == "false":
        return "Rejected", "Disapproved", f"version {version} was turned down"
    later = [one for one in trainings if sequence(_candidate(one)) > sequence(version)]
    if later:
        message = f"version {_candidate(later[-1])} of training {later[-1].name} came after it"
        return "Superseded", "Superseded", message
    return None


def _candidate(training: TrainingFacts) -> str | None:
    """The version that took over or waits to, if a training made one."""
    if training.phase not in ("Succeeded", "AwaitingApproval"):
        return None
    found = training.result.get("version")
    return str(found) if found else None
