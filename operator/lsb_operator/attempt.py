"""One training and its Job: what the Job is doing, and how it ended. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.results import TrainingPhase, TrainingResult
from lsb_operator import marks
from lsb_operator.facts import Facts, Observed, PodFacts, TrainingFacts
from lsb_operator.failures.admission import workload
from lsb_operator.failures.pods import pod_failure
from lsb_operator.results import last_words, read_result, result_of
from lsb_operator.times import time_of

FINAL: Final = ("Succeeded", "Rejected", "Failed", "Superseded")
DECIDED: Final = (*FINAL, "AwaitingApproval")
"""Phases in which there is nothing left for a Job to do."""
_PHASES: Final[Mapping[str, TrainingPhase]] = {
    "Promoted": "Succeeded",
    "Prepared": "Succeeded",
    "Rejected": "Rejected",
    "AwaitingApproval": "AwaitingApproval",
    "Failed": "Failed",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a training stands: `reason` is for programs, `message` for people.

    `remake` asks for the Job to be made (again), `discard` for the one that is there to be deleted first,
    `stalled` says that it stays so until a person helps.
    """

    phase: TrainingPhase
    reason: str
    message: str
    job: str | None = None
    attempts: int | None = None
    started_at: datetime | None = None
    result: TrainingResult | None = None
    remake: bool = False
    discard: bool = False
    stalled: bool = False

    @property
    def promoted(self) -> str | None:
        """The version that took over."""
        return self.result.version if self.phase == "Succeeded" and self.result else None


def job_name(training: str) -> str:
    """The name of a training's Job. No other Job of a backend ends like this."""
    return f"{training}-train"


def observe(backend: LabelStudioBackend, facts: Facts, training: TrainingFacts) -> Standing | None:
    """How a training stands that has, or had, a Job; None for one that was never started."""
    name = job_name(training.name)
    job = facts.children.get(("Job", name))
    if job is None:
        return _without_job(backend, training, name) if training.job else None
    if not job.owned_by_us:
        message = (
            f"somebody else's Job has the name {name}: delete or rename it, and ask for another training"
        )
        return Standing("Failed", "NameConflict", message)
    if _of_another(training, job):
        # It was made for a deleted training of the same name, and goes before this one can begin.
        return Standing("Pending", "JobInTheWay", f"waits for Job {name} of a deleted training to be gone")
    pods = [pod for pod in facts.pods if pod.job == name]
    return _with_job(backend, facts, training, name, job, pods)


def _of_another(training: TrainingFacts, job: Observed) -> bool:
    return bool(annotations(job).get(marks.TRAINING_UID, "") != training.uid)


def _with_job(
    backend: LabelStudioBackend,
    facts: Facts,
    training: TrainingFacts,
    name: str,
    job: Observed,
    pods: Sequence[PodFacts],
) -> Standing:
    attempts = max(attempt(job), recorded_attempts(training))
    started = training.started_at or time_of(job.status.get("startTime"))

    def standing(phase: TrainingPhase, reason: str, message: str, **more: Any) -> Standing:
        return Standing(phase, reason, message, name, attempts, started, **more)

    result = read_result(training.result) or result_of(pods)
    end = ended(job)
    if end and result is not None:
        return _judged(result, standing)
    if deleting(job):
        return standing("Pending", "JobDeleted", f"Job {name} is being deleted")
    if end == "Complete":
        if attempts < _most_attempts(backend):
            # A run that is finished gives its result again, and trains nothing.
            message = "the Job left no result that can be read: it is made again to ask for it"
            return standing("Pending", "ResultUnreadable", message, discard=True)
        message = f"the Job succeeded {attempts} times and left no result that can be read"
        return standing("Failed", "ResultUnreadable", f"{message}: is training.image of this release?")
    if end == "Failed":
        reason, message = _why_failed(backend, job, pods)
        return standing("Failed", reason, message)
    if suspended(job):
        queue = backend.spec.training.queue
        by = f"local queue {queue}" if queue else "whoever suspended it"
        return standing("Queued", "NotAdmitted", f"Job {name} waits to be admitted by {by}")
    return _active(facts, training, name, job, pods, standing)


def _judged(result: TrainingResult, standing: Any) -> Standing:
    message = result.message or f"the training says: {result.outcome}"
    found: Standing = standing(_PHASES[result.outcome], result.outcome, message, result=result)
    return found


def _active(
    facts: Facts, training: TrainingFacts, name: str, job: Observed, pods: Sequence[PodFacts], standing: Any
) -> Standing:
    pod = next((pod for pod in pods if pod.phase in ("Pending", "Running") and not pod.deleting), None)
    found: Standing
    refused = workload(("Job", name), job) if pod is None else None
    if refused is not None:
        found = standing("Pending", refused.reason, refused.message, stalled=refused.stalled)
    elif pod is None and not admitted(job):
        found = standing("Pending", "NoPod", f"Job {name} has no pod yet")
    elif pod is None:
        found = standing(
            "Running", "TryingAgain", f"it is tried again soon: {last_words(pods) or 'its pod ended'}"
        )
    elif pod.phase == "Pending":
        # Running all the same: serving pods that lend their GPU have to go before this pod can start.
        failure = pod_failure(pod, facts.namespace, facts.now)
        why = failure.message if failure else f"the containers of pod {pod.name} are being created"
        found = standing("Running", "PodPending", why, stalled=failure is not None and failure.stalled)
    else:
        epoch, epochs = (int(training.progress.get(key) or 0) for key in ("epoch", "epochs"))
        if 0 < epochs <= epoch:
            found = standing("Evaluating", "Evaluating", "the candidate is compared with the served version")
        else:
            far = f"epoch {epoch} of {epochs}" if epochs else "it reads what was annotated"
            found = standing("Running", "Running", far)
    return found


def _without_job(backend: LabelStudioBackend, training: TrainingFacts, name: str) -> Standing:
    attempts = recorded_attempts(training)

    def standing(phase: TrainingPhase, reason: str, message: str, **more: Any) -> Standing:
        return Standing(phase, reason, message, name, attempts, training.started_at, **more)

    result = read_result(training.result)
    if result is not None:
        return _judged(result, standing)
    most = _most_attempts(backend)
    if attempts < most:
        message = f"Job {name} was deleted; it is made again (attempt {attempts + 1} of {most})"
        return standing("Pending", "JobDeleted", message, remake=True)
    return standing(
        "Failed", "JobDeleted", f"Job {name} was deleted {attempts} times: ask for another training"
    )


def _why_failed(backend: LabelStudioBackend, job: Observed, pods: Sequence[PodFacts]) -> tuple[str, str]:
    condition = next(one for one in job.status["conditions"] if one.get("type") == "Failed")
    reason = str(condition.get("reason") or "Failed")
    words = last_words(pods) or condition.get("message") or "the Job failed without a word"
    if reason == "DeadlineExceeded":
        seconds = backend.spec.training.active_deadline_seconds
        return reason, f"it took longer than training.activeDeadlineSeconds ({seconds} s)"
    if reason == "PodFailurePolicy":
        return "BadData", f"the annotations cannot be trained on: {words}"
    return reason, f"{words} (see the pod's log: its Job is {job.metadata['name']})"


def _most_attempts(backend: LabelStudioBackend) -> int:
    # A result that was lost is asked for once more even where a failure is not tried again.
    return max(backend.spec.training.backoff_limit + 1, 2)


def recorded_attempts(training: TrainingFacts) -> int:
    """How often the Job was made, as the status says; at least 1, for a Job that was seen."""
    return max(int(training.status.get("attempts") or 0), 1)


def attempt(job: Observed) -> int:
    """Which Job of its training it is, counted from 1."""
    text = annotations(job).get(marks.ATTEMPT, "1")
    return int(text) if text.isdigit() else 1


def annotations(observed: Observed) -> Mapping[str, str]:
    """The annotations of an object."""
    return observed.metadata.get("annotations") or {}


def deleting(job: Observed) -> bool:
    """Whether its deletion was asked for."""
    return bool(job.metadata.get("deletionTimestamp"))


def suspended(job: Observed) -> bool:
    """Whether a Job waits for somebody to admit it."""
    return bool(job.spec.get("suspend"))


def ended(job: Observed) -> str | None:
    """`Complete` or `Failed` once a Job has ended for good."""
    true = [one.get("type") for one in job.status.get("conditions") or [] if one.get("status") == "True"]
    return next((kind for kind in ("Complete", "Failed") if kind in true), None)


def admitted(job: Observed) -> bool:
    """Whether a Job may use what it asked for: it is not suspended, and has or had a pod."""
    counted = sum(int(job.status.get(key) or 0) for key in ("active", "succeeded", "failed"))
    return not suspended(job) and bool(job.status.get("startTime")) and counted > 0
