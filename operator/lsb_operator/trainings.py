"""What to do about the trainings of one backend: one runs at a time, and every one ends. Pure.

A training is unstarted until it has a Job. It holds the backend's one place while its Job is there or has to
be made again, and gives it back when its result is recorded.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.conditions import TrainingCondition
from lsb_crds.resolved import Resolved
from lsb_operator import marks
from lsb_operator.actions import Action, CreateJob, DeleteJob, KeepJobFor, Next, sooner
from lsb_operator.approval import decide
from lsb_operator.asking import ask, prepare_name
from lsb_operator.attempt import DECIDED, Standing, annotations, deleting, ended, job_name, observe
from lsb_operator.facts import Facts, Observed, TrainingFacts
from lsb_operator.failures.beginnings import beginning
from lsb_operator.jobs.prepare import prepare
from lsb_operator.jobs.train import train
from lsb_operator.names import COMPONENT
from lsb_operator.pruning import prune
from lsb_operator.reasons import REFUSALS
from lsb_operator.training_status import record
from lsb_operator.waiting import Line, line_up, rests_until

JOB_KEPT_SECONDS = 86_400
"""How long a finished Job and its log stay once the result is recorded."""
_COMPONENTS = ("train", "prepare")
Standings = dict[str, Standing]


@dataclass(frozen=True, slots=True)
class _Turn:
    """Whose turn it is: `begins` gets its Job number `attempt` now, and `why` the others wait."""

    begins: TrainingFacts | None = None
    attempt: int = 1
    why: str = ""
    later: float | None = None


def plan_trainings(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Next:
    """All that is to be done now, in order: what was seen is written down before anything is begun."""
    live = [one for one in facts.trainings if not one.deleting]
    if facts.deleting:
        return Next(tuple(_given_up(backend, facts, live)))
    standings = _observed(backend, facts, live)
    unstarted = [one for one in live if one.phase not in DECIDED and _is_unstarted(standings.get(one.name))]
    line = line_up(unstarted, prepare_name(backend, resolved))
    turn = _turn(backend, facts, live, standings, line)
    standings |= {**line.out, **{one.name: _waiting(turn) for one in line.order}}
    if turn.begins is not None:
        standings |= _beginning(facts, turn.begins, standings.pop(turn.begins.name))
    asked = ask(backend, resolved, facts)
    actions: list[Action] = [*_written(facts, live, standings), *_jobs_to_end(facts, live, standings)]
    if turn.begins is not None:
        build = prepare if turn.begins.reason == "Prepare" else train
        actions.append(CreateJob(build(backend, resolved, facts, turn.begins, turn.attempt)))
    return Next((*actions, *asked.actions, *prune(backend, facts)), sooner(turn.later, asked.later))


def without_backend(training: TrainingFacts, backend: str, now: datetime) -> Next:
    """What to do about a training whose backend does not exist (yet), or does no more."""
    if training.phase in DECIDED or training.deleting:
        return Next()
    message = f"there is no LabelStudioBackend {backend} in this namespace: create one, or delete this"
    waits = Standing("Pending", "BackendNotFound", message)
    written = record(training, waits if training.job is None else _lost(training), now, "")
    return Next((written,) if written else ())


def _observed(backend: LabelStudioBackend, facts: Facts, live: Sequence[TrainingFacts]) -> Standings:
    found: Standings = {}
    for training in live:
        is_decided = training.phase in DECIDED
        standing = decide(training, live) if is_decided else observe(backend, facts, training)
        if standing is not None:
            found[training.name] = standing
    return found


def _is_unstarted(standing: Standing | None) -> bool:
    return standing is None or standing.reason == "JobInTheWay"


def _turn(
    backend: LabelStudioBackend,
    facts: Facts,
    live: Sequence[TrainingFacts],
    standings: Mapping[str, Standing],
    line: Line,
) -> _Turn:
    busy = _still_there(facts)
    holder = next((one for one in live if one.name in standings and _holds(standings[one.name])), None)
    if holder is not None:
        standing = standings[holder.name]
        if standing.remake and not busy:
            return _Turn(holder, (standing.attempts or 1) + 1, f"training {holder.name} is first")
        return _Turn(why=f"waits for training {holder.name} to end")
    if backend.spec.suspend:
        return _Turn(why="waits until the backend is no longer suspended")
    if busy:
        return _Turn(why=f"waits for {busy} to be gone")
    rests = {one.name: rests_until(one, facts.trainings) for one in line.order}
    ready = [
        one
        for one in line.order
        if ("Job", job_name(one.name)) not in facts.children
        and ((until := rests[one.name]) is None or until <= facts.now)
    ]
    if ready:
        return _Turn(ready[0], why=f"waits for training {ready[0].name} to end")
    until = min((one for one in rests.values() if one is not None and one > facts.now), default=None)
    if until is None:
        return _Turn()
    why = f"trainings before it failed: waits until {until:%Y-%m-%d %H:%M} UTC"
    return _Turn(why=why, later=(until - facts.now).total_seconds())


def _holds(standing: Standing) -> bool:
    return standing.job is not None and standing.phase not in DECIDED


def _waiting(turn: _Turn) -> Standing:
    return Standing("Queued", "Waiting", turn.why)


def _beginning(facts: Facts, training: TrainingFacts, seen: Standing) -> Standings:
    """How the training stands whose Job is about to be made; nothing where it stays as it is written down."""
    refused = beginning(facts, ("Job", job_name(training.name)))
    if refused is not None:
        told = replace(seen, reason=refused.reason, message=refused.message, stalled=refused.stalled)
        return {training.name: replace(told, phase="Pending")}
    if _reported(training) in REFUSALS:
        # It holds until the Job is there: the API server is only asked once more.
        return {}
    if seen.remake:
        return {training.name: seen}
    return {training.name: Standing("Pending", "Starting", "its Job is being made")}


def _reported(training: TrainingFacts) -> str:
    conditions = training.status.get("conditions") or []
    return next((one["reason"] for one in conditions if one.get("type") == TrainingCondition.SUCCEEDED), "")


def _still_there(facts: Facts) -> str | None:
    """A training Job that has not ended, or a pod that outlives its Job."""
    running = [name for name, job in _training_jobs(facts) if ended(job) is None]
    pods = [
        pod.name for pod in facts.pods if pod.component in _COMPONENTS and pod.phase in ("Pending", "Running")
    ]
    kinds = [f"Job {name}" for name in running] + [f"pod {name}" for name in pods]
    return next(iter(kinds), None)


def _training_jobs(facts: Facts) -> Iterable[tuple[str, Observed]]:
    for (kind, name), job in sorted(facts.children.items()):
        labels = job.metadata.get("labels") or {}
        if kind == "Job" and job.owned_by_us and labels.get(COMPONENT) in _COMPONENTS:
            yield name, job


def _jobs_to_end(
    facts: Facts, live: Sequence[TrainingFacts], standings: Mapping[str, Standing]
) -> Iterable[Action]:
    by_job = {job_name(one.name): one for one in live}
    for name, job in _training_jobs(facts):
        training = by_job.get(name)
        why = _why_delete(training, job, standings)
        if why is not None and not deleting(job):
            yield DeleteJob(name, str(job.metadata.get("uid") or ""), why)
        elif why is None and training is not None and training.phase in DECIDED:
            # Not before the result is in the status: what it was read from goes with the Job.
            unlimited = job.spec.get("ttlSecondsAfterFinished") is None
            yield from [KeepJobFor(name, JOB_KEPT_SECONDS)] if unlimited else []


def _why_delete(
    training: TrainingFacts | None, job: Observed, standings: Mapping[str, Standing]
) -> str | None:
    if training is None or annotations(job).get(marks.TRAINING_UID, "") != training.uid:
        return "its training was deleted"
    standing = standings.get(training.name)
    if standing is not None and standing.discard:
        return standing.message
    if training.phase in DECIDED and ended(job) is None:
        return "its training has ended"
    return None


def _given_up(backend: LabelStudioBackend, facts: Facts, live: Sequence[TrainingFacts]) -> Iterable[Action]:
    standings = {
        one.name: found if (found := observe(backend, facts, one)) and found.result else _lost(one)
        for one in live
        if one.phase not in DECIDED
    }
    return _written(facts, live, standings)


def _lost(training: TrainingFacts) -> Standing:
    message = "its backend was deleted: create the backend, then ask for another training"
    return Standing("Failed", "BackendDeleted", message, training.job, started_at=training.started_at)


def _written(
    facts: Facts, live: Sequence[TrainingFacts], standings: Mapping[str, Standing]
) -> Iterable[Action]:
    uid = str(facts.backend["metadata"].get("uid") or "")
    records = (record(one, standings[one.name], facts.now, uid) for one in live if one.name in standings)
    return (one for one in records if one is not None)
