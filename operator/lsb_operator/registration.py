"""Whether Label Studio's projects have the backend, as the register Job tells."""

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.conditions import BackendCondition
from lsb_crds.resolved import Resolved
from lsb_operator.attempt import ended
from lsb_operator.facts import Facts, Key, Observed
from lsb_operator.failures import admission
from lsb_operator.failures.beginnings import beginning
from lsb_operator.failures.failure import Failure, said
from lsb_operator.failures.pods import pod_failure
from lsb_operator.former import formers, jobs, undone
from lsb_operator.jobs.register import register_name
from lsb_operator.reasons import Reason
from lsb_operator.verdict import Verdict, failed, reported

_LEAVING = "The backend is first taken out of the Label Studio that it was registered in before."
_ENTERING = "Registration starts as soon as the backend can answer Label Studio."


def registered(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Verdict | None:
    """The verdict for Registered; None where the spec asks for no registration."""
    studio = backend.spec.label_studio
    if not (studio.register_backend and studio.projects):
        return None
    key = ("Job", register_name(backend, resolved))
    former = next(formers(backend, resolved, facts), None)
    if former is not None:
        held = beginning(facts, ("Job", former.name_of_undo))
        return failed(held) if held else _pending(_LEAVING)
    if undone(backend, resolved, facts):
        finished = all(ended(one) for one in jobs(facts, "unregister").values())
        return _pending(_ENTERING if finished else _LEAVING)
    job = facts.children.get(key)
    if job is not None and _is(job, "Complete"):
        listed = ", ".join(str(project) for project in studio.projects)
        return Verdict("True", Reason.REGISTERED, f"Registered at {studio.url} in projects {listed}.")
    problem = _problem(facts, key, job) if job else None
    if problem:
        return failed(problem)
    held = beginning(facts, key) if job is None else None
    if held:
        return failed(held)
    earlier = _earlier(facts)
    if earlier:
        return earlier
    if job is None:
        return _pending(_ENTERING)
    return Verdict("Unknown", Reason.REGISTERING, f"Job {key[1]} is registering the backend at {studio.url}.")


def _pending(message: str) -> Verdict:
    return Verdict("Unknown", Reason.REGISTRATION_PENDING, message)


def _earlier(facts: Facts) -> Verdict | None:
    """What the Job before said about this very spec: it holds while the next one only tries again."""
    last = reported(facts, BackendCondition.REGISTERED)
    generation = facts.status.get("observedGeneration")
    return last if last and last.status != "Unknown" and generation == facts.generation else None


def _problem(facts: Facts, key: Key, job: Observed) -> Failure | None:
    ended = _last_end(facts, key[1])
    if ended is not None:
        again = f"kubectl -n {facts.namespace} delete job {key[1]}"
        remedy = f"correct what it names; it is tried again by itself, or at once after: {again}"
        return Failure(Reason.REGISTRATION_FAILED, f"Not registered. {ended}", remedy)
    pods = [pod for pod in facts.pods if pod.job == key[1]]
    problems = (pod_failure(pod, facts.namespace, facts.now) for pod in pods)
    return next(filter(None, problems), None) or (
        admission.workload(key, job) or (_failed_job(facts, key, job) if _is(job, "Failed") else None)
    )


def _last_end(facts: Facts, job: str) -> str | None:
    """What the newest failed pod of the Job left as its message, or that it left none."""
    ends = [pod for pod in facts.pods if pod.job == job and pod.ended and pod.ended.exit_code]
    newest = max(ends, key=lambda pod: (str(pod.created_at), pod.name), default=None)
    if newest is None or newest.ended is None:
        return None
    log = f"its log says more: kubectl -n {facts.namespace} logs {newest.name}"
    return said(newest.ended) or f"Job {job} ended with exit code {newest.ended.exit_code}; {log}"


def _failed_job(facts: Facts, key: Key, job: Observed) -> Failure:
    words = next((one.get("message") for one in _conditions(job) if one.get("type") == "Failed"), None)
    what = f"Not registered. Job {key[1]} failed and its pods are gone: {words or 'it says no more'}"
    remedy = f"let it run again: kubectl -n {facts.namespace} delete job {key[1]}"
    return Failure(Reason.REGISTRATION_FAILED, what, remedy)


def _is(job: Observed, kind: str) -> bool:
    return any(one.get("type") == kind and one.get("status") == "True" for one in _conditions(job))


def _conditions(job: Observed) -> list[dict[str, str]]:
    return list(job.status.get("conditions") or [])
