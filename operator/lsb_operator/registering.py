"""When a backend is put into Label Studio's projects, and when it is taken out of them. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.conditions import BackendCondition
from lsb_crds.resolved import Resolved
from lsb_operator import marks
from lsb_operator.actions import Action, CreateJob, DeleteJob, EndJob, Next, SetFinalizer
from lsb_operator.attempt import deleting, ended
from lsb_operator.facts import Facts, Manifest, Observed
from lsb_operator.former import formers, jobs, leave_former, left_behind, marked, over, studio_of, undone
from lsb_operator.jobs.register import register, register_name
from lsb_operator.jobs.unregister import SECONDS, unregister, unregister_name
from lsb_operator.times import time_of

FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=10), timedelta(minutes=5)
"""After how long Label Studio is asked again when a Job has failed: soon at first, then ever later."""


def plan_registration(
    backend: LabelStudioBackend, resolved: Resolved, facts: Facts, namespace_terminating: bool = False
) -> Next:
    """What to do about the registration now.

    The finalizer is there from before the first register Job until the unregister Job has ended, so that a
    death at any moment leaves nothing behind in Label Studio. A Label Studio that the spec no longer names is
    left before another is entered: both addresses may be of the same one.
    """
    if facts.deleting:
        return _leave(backend, resolved, facts, namespace_terminating)
    leaving = list(formers(backend, resolved, facts))
    if leaving:
        return Next(tuple(action for former in leaving for action in leave_former(former, facts)))
    studio = backend.spec.label_studio
    if not (studio.register_backend and studio.projects):
        return _withdraw(backend, resolved, facts)
    if undone(backend, resolved, facts):
        return _start_over(backend, resolved, facts)
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
        # An older Job that still runs could have the last word, and what it tells is not true any more.
        ends = tuple(_ends(others))
        if ends or not all(over(other) for other in others.values()):
            return Next(ends)
        return Next((*begun, CreateJob(register(backend, resolved)))) if _answers(facts) else Next()
    if ended(job) == "Complete":
        return Next((*begun, *_deletions(others, "another registration has taken its place")))
    # Without the Job that takes its place nothing would tell of what this one may have done.
    retry = ended(job) == "Failed" and _answers(facts)
    again = _again(name, job, facts, _failing_since(facts)) if retry else Next()
    return Next((*begun, *again.actions), again.later)


def _answers(facts: Facts) -> bool:
    """Whether the backend can be registered: Label Studio calls it before it believes that there is one."""
    return any(pod.component == "serve" and pod.ready for pod in facts.pods)


def _start_over(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Next:
    """Forget that the backend was taken out of where it is wanted again, once it can be put there anew."""
    undoing = jobs(facts, "unregister")
    if not (all(ended(job) for job in undoing.values()) and _answers(facts)):
        return Next()
    current = register_name(backend, resolved)
    void = {name: job for name, job in jobs(facts, "register").items() if name == current}
    # At once, since nothing tells of the place in between.
    return Next(
        (
            *([] if has_finalizer(facts) else [SetFinalizer(present=True)]),
            *_deletions(undoing, "it has ended"),
            *_deletions(void, "its work was undone"),
            CreateJob(register(backend, resolved)),
        )
    )


def _withdraw(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Next:
    """Take a backend that lives on out of its projects."""
    name = unregister_name(backend, resolved)
    undoing = jobs(facts, "unregister")
    if not has_finalizer(facts):
        over_now = {one: job for one, job in undoing.items() if ended(job)}
        return Next(tuple(_deletions(over_now, "it has ended")))
    registered = jobs(facts, "register")
    ends = tuple(_ends(registered))
    if ends or not all(over(job) for job in registered.values()):
        return Next(ends)
    job = undoing.get(name)
    if job is None:
        return Next((CreateJob(unregister(backend, resolved)),))
    if ended(job) == "Failed" and registered:
        return _again(name, job, facts)
    if ended(job) == "Failed":
        # Nothing tells that it ever was there: it may have moved to where it is not wanted.
        return Next((SetFinalizer(present=False, event=left_behind([backend.spec.label_studio.url])),))
    if ended(job):
        # What tells of it goes last.
        return Next((*_deletions(registered, "its work is undone"), SetFinalizer(present=False)))
    return Next()


def _leave(
    backend: LabelStudioBackend, resolved: Resolved, facts: Facts, namespace_terminating: bool
) -> Next:
    """Let the backend go: at once where no Job can be made any more, and after a minute at most."""
    if not has_finalizer(facts):
        return Next()
    if namespace_terminating:
        # Nothing can be made in it any more, not even an Event.
        return Next((SetFinalizer(present=False),))
    asked = time_of(facts.backend["metadata"]["deletionTimestamp"]) or facts.now
    left = (asked + timedelta(seconds=SECONDS) - facts.now).total_seconds()
    undoing = jobs(facts, "unregister")
    steps = tuple(_last_steps(backend, resolved, facts, asked)) if left > 0 else ()
    at_work = not all(over(job) for job in jobs(facts, "register").values())
    at_work |= not all(ended(job) for job in undoing.values())
    if steps or (left > 0 and at_work):
        return Next(steps, later=left)
    unfinished = [job for job in undoing.values() if ended(job) != "Complete"]
    left_in = [one.url for one in formers(backend, resolved, facts) if one.name_of_undo not in undoing]
    left_in += [studio.url for studio in map(studio_of, unfinished) if studio is not None]
    if unregister_name(backend, resolved) not in undoing:
        left_in.append(backend.spec.label_studio.url)
    event = left_behind(left_in) if left_in else None
    return Next((SetFinalizer(present=False, event=event),))


def _last_steps(
    backend: LabelStudioBackend, resolved: Resolved, facts: Facts, asked: datetime
) -> Iterator[Action]:
    """What is still to be done so that every place where the backend may be is left."""
    registered, undoing = jobs(facts, "register"), jobs(facts, "unregister")
    running = {name: job for name, job in registered.items() if not over(job)}
    if running:
        yield from _ends(running)
        return
    wanted = {former.name_of_undo: former.undo for former in formers(backend, resolved, facts)}
    wanted[unregister_name(backend, resolved)] = unregister(backend, resolved)
    for name, manifest in wanted.items():
        if name not in undoing:
            yield CreateJob(manifest)
    # It was for a backend that lived on, and Label Studio may answer by now.
    early = {
        name: job
        for name, job in undoing.items()
        if ended(job) == "Failed" and _ended_at(job, facts.now) < asked
    }
    yield from _deletions(early, "Label Studio is asked again")


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


def _ends(found: dict[str, Observed]) -> Iterator[Action]:
    return (EndJob(name) for name, job in sorted(found.items()) if not marked(job))


def _deletions(found: dict[str, Observed], why: str) -> Iterator[Action]:
    for name, job in sorted(found.items()):
        if not deleting(job):
            yield DeleteJob(name, str(job.metadata.get("uid") or ""), why)


def _ended_at(job: Observed, now: datetime) -> datetime:
    times = (time_of(one.get("lastTransitionTime")) for one in job.status.get("conditions") or [])
    return max((time for time in times if time is not None), default=now)
