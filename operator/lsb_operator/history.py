"""The trainings of a backend as its status shows them: the one at hand, and those that are finished."""

from lsb_crds.conditions import BackendCondition
from lsb_operator.facts import Facts, Manifest, TrainingFacts
from lsb_operator.failures.beginnings import held_up
from lsb_operator.failures.failure import one_line
from lsb_operator.reasons import Reason
from lsb_operator.times import written
from lsb_operator.verdict import Verdict, failed, reported

KEPT = 10
JUDGED = ("AwaitingApproval", "Succeeded", "Rejected", "Failed")
_ORDER = ("Running", "Evaluating", "Queued", "Pending")
_STEPS = 20
_OUTCOMES = {
    "Succeeded": (Reason.PROMOTED, "is better, and took over"),
    "Rejected": (Reason.REJECTED, "is not better; the version before goes on"),
    "AwaitingApproval": (Reason.AWAITING_APPROVAL, "is better, and waits for approval"),
}


def current(facts: Facts) -> Manifest | None:
    """The training that runs, else the oldest that waits; None without one."""
    open_ones = [one for one in facts.trainings if (one.phase or "Pending") in _ORDER and not one.deleting]
    first = min(
        open_ones,
        key=lambda one: (_ORDER.index(one.phase or "Pending"), str(one.created_at), one.name),
        default=None,
    )
    if first is None:
        return None
    found = {"name": first.name, "phase": first.phase or "Pending"}
    return found | {"progress": _progress(first)} if first.progress.get("epochs") else found


def finished(facts: Facts) -> list[Manifest]:
    """The history, newest first: trainings that are gone stay in it as they were reported."""
    lines = {line["name"]: line for line in facts.status.get("lastTrainings") or []}
    lines |= {one.name: _line(one) for one in facts.trainings if _was_run(one)}
    newest_first = sorted(
        lines.values(), key=lambda line: (line.get("finishedAt") or "", line["name"]), reverse=True
    )
    return newest_first[:KEPT]


def training_succeeded(facts: Facts) -> Verdict | None:
    """The verdict for TrainingSucceeded: the training at hand cannot begin, or how the last one ended.

    None before the first; before there is a version to serve, Ready says what keeps it from being made.
    """
    stuck = next(held_up(facts), None) if facts.target is not None else None
    if stuck is not None:
        return failed(stuck)
    judged = [one for one in facts.trainings if _was_run(one) and one.phase in JUDGED]
    newest = max(judged, key=lambda one: (str(one.finished_at), one.name), default=None)
    # A training that was deleted still was the last one.
    return _verdict(newest, facts) if newest else reported(facts, BackendCondition.TRAINING_SUCCEEDED)


def _was_run(training: TrainingFacts) -> bool:
    """Whether it ended after it had begun: one that was only asked for says nothing about the model."""
    # One that awaited approval is superseded by a later one.
    return training.phase in (*JUDGED, "Superseded") and bool(training.job or training.result)


def _verdict(training: TrainingFacts, facts: Facts) -> Verdict:
    words = one_line(str(training.result.get("message") or training.message or ""))
    if training.phase == "Failed":
        again = f"kubectl lsb train {facts.name} -n {facts.namespace}"
        message = (
            f"Training {training.name} failed: {words or 'it left no message'}. The version before goes on. "
            f"To do: correct what the message names, then ask for another: {again}."
        )
        return Verdict("False", Reason.TRAINING_FAILED, message)
    if training.reason == "Prepare":
        return Verdict("True", Reason.PREPARED, f"Training {training.name} made the first version.")
    reason, outcome = _OUTCOMES[training.phase or ""]
    message = f"The candidate of training {training.name} {outcome}{_figures(training)}."
    if reason is Reason.AWAITING_APPROVAL:
        version = training.result.get("version")
        message += f" To do: kubectl lsb promote {facts.name} {version} -n {facts.namespace}."
    return Verdict("True", reason, message)


def _figures(training: TrainingFacts) -> str:
    candidate, served = training.result.get("candidate"), training.result.get("served")
    if candidate is None or served is None:
        return ""
    return f" ({training.result.get('metric') or 'metric'} {candidate:.3f} against {served:.3f})"


def _progress(training: TrainingFacts) -> str:
    """Epochs in steps of a twentieth: each write of the status makes everybody who watches it work."""
    epoch, epochs = int(training.progress.get("epoch") or 0), int(training.progress["epochs"])
    step = max(1, epochs // _STEPS)
    shown = epoch if epoch >= epochs else epoch - epoch % step
    return f"{shown}/{epochs}"


def _line(training: TrainingFacts) -> Manifest:
    result = training.result
    line = {
        "name": training.name,
        "phase": training.phase,
        "reason": training.reason,
        "version": result.get("version"),
        "metric": result.get("metric"),
        "candidate": result.get("candidate"),
        "served": result.get("served"),
        "finishedAt": written(training.finished_at) if training.finished_at else None,
    }
    return {key: value for key, value in line.items() if value is not None}
