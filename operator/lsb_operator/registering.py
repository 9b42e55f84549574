"""When a backend is put into Label Studio's projects, and when it is taken out of them. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.conditions import BackendCondition
from lsb_crds.resolved import Resolved
from lsb_operator import marks
from lsb_operator.actions import Action, CreateJob, DeleteJob, Next, SetFinalizer
from lsb_operator.attempt import deleting, ended
from lsb_operator.events import Event
from lsb_operator.facts import Facts, Manifest, Observed
from lsb_operator.former import jobs, leave_formers, same, studio_of
from lsb_operator.jobs.register import register, register_name
from lsb_operator.jobs.unregister import SECONDS, unregister, unregister_name
from lsb_operator.reasons import Reason
from lsb_operator.times import time_of

FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=10), timedelta(minutes=5)
"""After how long Label Studio is asked again when a Job has failed: soon at first, then ever later."""
LEFT_BEHIND = "It may still be registered in Label Studio. To do: delete it in its projects' settings."


def plan_registration(
    backend: LabelStudioBackend, resolved: Resolved, facts: Facts, namespace_terminating: bool = False
) -> Next:
    """What to do about the registration now.

    The finalizer is there from before the first register Job until the unregister Job has ended, so that a
    death at any moment leaves nothing behind in Label Studio. A Label Studio that the spec no longer names is
    left before another is entered: both addresses may be of the same one.
    """
    leaving = () if namespace_terminating else leave_formers(backend, resolved, facts)
    if facts.deleting:
        last = _leave(backend, resolved, facts, namespace_terminating)
        return Next((*leaving, *last.actions), last.later)
    if leaving:
        return Next(leaving)
    studio = backend.spec.label_studio
    if not (studio.register_backend and studio.projects):
        return _withdraw(backend, resolved, facts)
    if jobs(facts, "unregister"):
        # What a Job tells that has registered the backend does not hold once another takes it out.
        void = _deletions(jobs(facts, "register"), "the backend is taken out of Label Studio")
        return Next((*void, *_clear(backend, facts)))
    return _enter(backend, resolved, facts)


def has_finalizer(facts: Facts) -> bool:
    """Whether the backend's deletion waits for its registration."""
    return marks.FINALIZER in (facts.backend["metadata"].get("finalizers") or [])


def _enter(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Next:
    name = register_name(backend, resolved)
    others = jobs(facts, "register")
    job = others.pop(name, None)
    begun = [] if has_finalizer(facts) else [SetFinalizer(present=True)]
    if job is None:
        # An older Job that still runs could have the last word.
        running = {other: one for other, one in others.items() if ended(one) is None}
        if running:
            return Next(tuple(_deletions(running, "its time is over")))
        # Label Studio calls the backend before it believes that there is one.
        answers = any(pod.component == "serve" and pod.ready for pod in facts.pods)
        return Next((*begun, CreateJob(register(backend, resolved)))) if answers else Next()
    if ended(job) == "Complete":
        return Next((*begun, *_deletions(others, "another registration has taken its place")))
    again = _again(name, job, facts, _failing_since(facts)) if ended(job) == "Failed" else Next()
    return Next((*begun, *again.actions), again.later)


def _withdraw(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Next:
    """Take a backend that lives on out of its projects."""
    if not has_finalizer(facts):
        return Next(tuple(_clear(backend, facts)))
    job = facts.children.get(("Job", unregister_name(backend, resolved)))
    if job is None:
        return Next((CreateJob(unregister(backend, resolved)),))
    registered = jobs(facts, "register")
    if registered:
        # Without a record of it, a later wish to be registered is carried out anew.
        return Next(tuple(_deletions(registered, "its time is over")))
    if ended(job) == "Failed":
        return _again(unregister_name(backend, resolved), job, facts)
    return Next((SetFinalizer(present=False),)) if ended(job) else Next()


def _leave(
    backend: LabelStudioBackend, resolved: Resolved, facts: Facts, namespace_terminating: bool
) -> Next:
    """Let the backend go: at once where no Job can be made any more, and after a minute at most."""
    if not has_finalizer(facts):
        return Next()
    asked = time_of(facts.backend["metadata"]["deletionTimestamp"]) or facts.now
    left = (asked + timedelta(seconds=SECONDS) - facts.now).total_seconds()
    name = unregister_name(backend, resolved)
    job = facts.children.get(("Job", name))
    if job is not None and ended(job) == "Failed" and _ended_at(job, facts.now) < asked and left > 0:
        # It was for a backend that lived on, and Label Studio may answer by now.
        return Next(tuple(_deletions({name: job}, "Label Studio is asked again")), later=left)
    if namespace_terminating:
        # Nothing can be made in it any more, not even an Event.
        return Next((SetFinalizer(present=False),))
    end = ended(job) if job is not None else None
    if end or left <= 0:
        event = Event("Warning", Reason.REGISTRATION_FAILED, LEFT_BEHIND) if end != "Complete" else None
        return Next((SetFinalizer(present=False, event=event),))
    return Next((CreateJob(unregister(backend, resolved)),) if job is None else (), later=left)


def _again(name: str, job: Observed, facts: Facts, since: datetime | None = None) -> Next:
    """Have a failed Job made again, after as long again as there have been failures (`since`; None: long)."""
    failed_at = _ended_at(job, facts.now)
    rest = LONGEST_RETRY if since is None else min(max(failed_at - since, FIRST_RETRY), LONGEST_RETRY)
    wait = (failed_at + rest - facts.now).total_seconds()
    if wait > 0:
        return Next(later=wait)
    return Next(tuple(_deletions({name: job}, "Label Studio is asked again")))


def _failing_since(facts: Facts) -> datetime:
    """Since when registration has failed, as the status says, which outlives the Jobs and the operator."""
    conditions = facts.status.get("conditions") or []
    told: Manifest = next((one for one in conditions if one.get("type") == BackendCondition.REGISTERED), {})
    since = time_of(told.get("lastTransitionTime")) if told.get("status") == "False" else None
    return since or facts.now


def _clear(backend: LabelStudioBackend, facts: Facts) -> Iterable[Action]:
    """Delete the unregister Jobs that have ended, and say where one has not done its work."""
    for name, job in jobs(facts, "unregister").items():
        if ended(job):
            yield from _deletions({name: job}, "it has ended", _left_behind(backend, job))


def _left_behind(backend: LabelStudioBackend, job: Observed) -> Event | None:
    """What to say of a Job that should have taken the backend out of a Label Studio of an earlier spec."""
    studio = studio_of(job)
    if ended(job) != "Failed" or studio is None or same(studio, backend):
        return None
    message = f"{studio.url} could not be asked to remove the backend. {LEFT_BEHIND}"
    return Event("Warning", Reason.REGISTRATION_FAILED, message)


def _deletions(found: dict[str, Observed], why: str, event: Event | None = None) -> Iterable[Action]:
    for name, job in sorted(found.items()):
        if not deleting(job):
            yield DeleteJob(name, str(job.metadata.get("uid") or ""), why, event)


def _ended_at(job: Observed, now: datetime) -> datetime:
    times = (time_of(one.get("lastTransitionTime")) for one in job.status.get("conditions") or [])
    return max((time for time in times if time is not None), default=now)
