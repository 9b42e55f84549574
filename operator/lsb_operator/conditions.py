"""The conditions of a backend: facts in, conditions out, times changed only where a status flips.

What each condition means, and when it is absent, is said where it is declared: lsb_crds.conditions.
"""

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.conditions import BackendCondition
from lsb_crds.resolved import Resolved
from lsb_operator.facts import Facts, Manifest
from lsb_operator.failures.failure import one_line
from lsb_operator.history import training_succeeded
from lsb_operator.readiness import deployment, ready, stalling
from lsb_operator.reasons import Reason
from lsb_operator.registration import registered
from lsb_operator.times import written
from lsb_operator.verdict import Verdict

LONGEST_MESSAGE = 4096


def conditions(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> list[Manifest]:
    """All conditions that apply, in the order of their declaration."""
    serving = ready(backend, resolved, facts)
    failure = stalling(backend, resolved, facts)
    registration = registered(backend, resolved, facts)
    verdicts = {
        BackendCondition.READY: serving,
        BackendCondition.RECONCILING: None if failure else _reconciling(serving, registration, facts),
        BackendCondition.STALLED: Verdict("True", failure.reason, failure.message) if failure else None,
        BackendCondition.REGISTERED: registration,
        BackendCondition.TRAINING_SUCCEEDED: training_succeeded(facts),
        BackendCondition.ROLLED_BACK: _rolled_back(facts),
        BackendCondition.SUSPENDED: _suspended(backend),
    }
    return [written_out(kind, verdict, facts) for kind, verdict in verdicts.items() if verdict]


def unreadable(facts: Facts, why: str) -> list[Manifest]:
    """The conditions of a backend whose spec this release cannot read, for the reason `why`."""
    message = (
        f"The spec cannot be read: {one_line(why)}. Everything stays as it is. "
        "To do: correct the spec, or update the operator and its definitions."
    )
    ready_verdict = Verdict("False", Reason.INVALID_SPEC, message)
    stalled = Verdict("True", Reason.INVALID_SPEC, message)
    replaced = (BackendCondition.READY, BackendCondition.RECONCILING, BackendCondition.STALLED)
    kept = [one for one in facts.status.get("conditions") or [] if one.get("type") not in replaced]
    return [
        written_out(BackendCondition.READY, ready_verdict, facts),
        written_out(BackendCondition.STALLED, stalled, facts),
        *kept,
    ]


def written_out(kind: BackendCondition, verdict: Verdict, facts: Facts) -> Manifest:
    """The condition as Kubernetes has it; its time is the old one unless the status flipped."""
    old: Manifest = next((one for one in facts.status.get("conditions") or [] if one.get("type") == kind), {})
    same = old.get("status") == verdict.status and old.get("lastTransitionTime")
    message = verdict.message
    if len(message) > LONGEST_MESSAGE:
        message = message[: LONGEST_MESSAGE - 1] + "…"
    return {
        "type": str(kind),
        "status": verdict.status,
        "observedGeneration": facts.generation,
        "lastTransitionTime": old["lastTransitionTime"] if same else written(facts.now),
        "reason": str(verdict.reason),
        "message": message,
    }


def _reconciling(serving: Verdict, registration: Verdict | None, facts: Facts) -> Verdict | None:
    """What is under way; None where nothing is left to be done."""
    if serving.reason is Reason.SUSPENDED:
        observed = deployment(facts)
        left = int(observed.status.get("replicas") or 0) if observed else 0
        return Verdict("True", Reason.SCALING_DOWN, f"{left} pods are ending.") if left else None
    if serving.status != "True":
        return Verdict("True", serving.reason, serving.message)
    if registration and registration.status == "Unknown":
        return Verdict("True", registration.reason, registration.message)
    return None


def _rolled_back(facts: Facts) -> Verdict | None:
    undone = facts.rolled_back
    if undone is None:
        return None
    message = (
        f"Version {undone.version} was given up: {one_line(undone.why)}. Version {facts.target} serves; "
        f"{undone.version} is not tried again by itself. To do: read its log and card, then train again, "
        f"or try it once more: kubectl lsb pin {facts.name} {undone.version} -n {facts.namespace}."
    )
    return Verdict("True", Reason.VERSION_FAILED, message)


def _suspended(backend: LabelStudioBackend) -> Verdict | None:
    if not backend.spec.suspend:
        return None
    message = "spec.suspend holds: no pods, no new trainings; volume, Service and registration stay."
    return Verdict("True", Reason.SUSPENDED, message)
