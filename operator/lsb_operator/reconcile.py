"""One backend, brought from how it is to how its spec wants it: the same code whatever has happened."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from pydantic import ValidationError

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.decisions import Decisions
from lsb_crds.problem import first_problem
from lsb_crds.release import release as installed_release
from lsb_crds.resolved import Resolved
from lsb_crds.structural import structural
from lsb_operator import names
from lsb_operator.actions import Action, ApplyTrainingStatus, CreateJob, CreateTraining, SetFinalizer, sooner
from lsb_operator.api import Api, ApiError
from lsb_operator.apply import Applier, NameTakenError
from lsb_operator.cache import Cache
from lsb_operator.carry_out import Executor
from lsb_operator.children.all import children
from lsb_operator.children.release import resolved as resolved_for
from lsb_operator.children.secrets import secrets
from lsb_operator.children.weights import KIND as WEIGHTS
from lsb_operator.entry import Entry
from lsb_operator.events import Event, events
from lsb_operator.facts import Facts, Manifest
from lsb_operator.facts import Key as ChildKey
from lsb_operator.former import left_behind
from lsb_operator.gather import gather
from lsb_operator.kinds import NAMESPACE
from lsb_operator.logs import about
from lsb_operator.metrics import Metrics
from lsb_operator.observe import owned, training_facts
from lsb_operator.plan import key_of, plan
from lsb_operator.queue import Key, TryLater
from lsb_operator.reasons import Reason
from lsb_operator.registering import has_finalizer, plan_registration
from lsb_operator.reports import Reports
from lsb_operator.rollout import Model, record, record_name, roll
from lsb_operator.status import changed, status, unreadable_status
from lsb_operator.trainings import plan_trainings, without_backend

log = logging.getLogger(__name__)


class Reconciler:
    """Reconciles backends by their keys; call it with one."""

    def __init__(self, api: Api, cache: Cache, reports: Reports, metrics: Metrics, identity: str) -> None:
        self._release = installed_release()
        self._api = api
        self._reports = reports
        self._cache = cache
        self._metrics = metrics
        self._applier = Applier(api, cache, metrics)
        self._executor = Executor(api, cache, identity)

    async def __call__(self, key: Key) -> float | None:
        """Do all that is to be done now; the seconds after which to look again, if nothing happens before."""
        started = time.perf_counter()
        try:
            backend = self._cache.backend(key)
            if backend is None:
                await self._without_backend(key)
                return None
            return await self._reconcile(key, backend)
        finally:
            self._metrics.seconds.observe(time.perf_counter() - started)

    def report(self, key: Key, error: Exception) -> None:
        """Count and log a failure; what passes by itself is told quietly."""
        if isinstance(error, TryLater):
            log.info("%s", error, extra=about(key))
            reason = "Waiting"
        elif isinstance(error, ApiError):
            log.warning("the API server refused: %s", error, extra=about(key))
            reason = error.reason or "Unknown"
        else:
            log.error("reconcile failed", exc_info=error, extra=about(key))
            reason = type(error).__name__
        self._metrics.errors.labels(reason).inc()

    async def _without_backend(self, key: Key) -> None:
        """Trainings are told that there is nothing to train; all else goes by garbage collection."""
        self._reports.forget(key)
        now = datetime.now(UTC)
        gone = {"metadata": {"name": key[1], "namespace": key[0]}}
        for training in self._cache.trainings(key):
            for action in without_backend(training_facts(training), key[1], now).actions:
                await self._executor.do(action, gone)

    async def _reconcile(self, key: Key, live: Manifest) -> float | None:
        gathered = await gather(self._api, self._cache, self._reports, key, live, datetime.now(UTC))
        facts = gathered.facts
        try:
            backend = parse(live)
        except ValidationError as error:
            why = first_problem(error, structural(LabelStudioBackend))
            await self._report(facts, unreadable_status(facts, why))
            if facts.deleting and has_finalizer(facts):
                await self._let_go(facts)
            return None
        if facts.deleting:
            facts = decided(self._cache.children(key), facts).known_to(facts)
        else:
            facts = await self._apply(key, backend, facts)
        resolved = resolved_for(backend, facts, self._release)
        facts, later, refusal = await self._act(backend, resolved, facts)
        await self._report(facts, status(backend, resolved, facts))
        if refusal is not None:
            raise refusal
        if facts.refused or facts.unapplied or facts.held:
            raise TryLater(_left(facts))
        self._metrics.reconciles.labels("done").inc()
        return sooner(gathered.later, later)

    async def _apply(self, key: Key, backend: LabelStudioBackend, facts: Facts) -> Facts:
        """Decide what to serve and write what differs; the facts with that, and with what was not written."""
        there = self._cache.children(key)
        model = roll(backend, resolved_for(backend, facts, self._release), facts, decided(there, facts))
        facts = model.known_to(facts)
        wanted = [record(backend, model), *children(backend, facts, self._release)]
        todo = plan(wanted, secrets(backend), there, facts.backend, facts.missing)
        done = await self._applier.carry_out(todo, facts.backend)
        return replace(facts, refused=done.refused, unapplied=dict(done.unapplied))

    async def _act(
        self, backend: LabelStudioBackend, resolved: Resolved, facts: Facts
    ) -> tuple[Facts, float | None, ApiError | None]:
        """Trainings and registration; the facts with what the API server would not have of them.

        What else it refuses of a training is given back: neither registration nor deletion waits for that.
        """
        trainings = plan_trainings(backend, resolved, facts)
        tried, refusal = facts, None
        try:
            tried = await self._train(backend, resolved, facts, trainings.actions)
        except ApiError as error:
            if error.passing:
                raise
            refusal = error
        terminating = facts.deleting and has_finalizer(facts) and await self._terminating(facts.namespace)
        registration = plan_registration(backend, resolved, tried, terminating)
        tried = await self._do(registration.actions, tried)
        return tried, sooner(trainings.later, registration.later), refusal

    async def _train(
        self, backend: LabelStudioBackend, resolved: Resolved, facts: Facts, actions: Sequence[Action]
    ) -> Facts:
        tried = await self._do(actions, facts)
        if tried is not facts:
            # A training is told why it does not begin.
            again = plan_trainings(backend, resolved, tried).actions
            told = [one for one in again if isinstance(one, ApplyTrainingStatus)]
            await self._do([one for one in told if one not in actions], tried)
        return tried

    async def _do(self, actions: Iterable[Action], facts: Facts) -> Facts:
        """Carry them out, one after the other; the facts with names that were taken, and with refusals."""
        taken: set[str] = set()
        held: dict[ChildKey, str] = {}
        for action in actions:
            try:
                await self._executor.do(action, facts.backend)
            except NameTakenError as error:
                taken.add(str(error))
            except ApiError as error:
                if error.passing or not isinstance(action, CreateJob | CreateTraining):
                    raise
                held[key_of(action.manifest)] = error.message
        if not (taken or held):
            return facts
        return replace(facts, refused=tuple(sorted({*facts.refused, *taken})), held={**facts.held, **held})

    async def _let_go(self, facts: Facts) -> None:
        """Hold a deletion up no longer: where the backend is registered cannot be read."""
        event = Event("Warning", Reason.INVALID_SPEC, left_behind([]).message)
        await self._executor.do(SetFinalizer(present=False, event=event), facts.backend)

    async def _terminating(self, namespace: str) -> bool:
        found = await self._api.get(NAMESPACE, None, namespace)
        return found is None or "deletionTimestamp" in found["metadata"]

    async def _report(self, facts: Facts, new: Manifest) -> None:
        if not changed(facts.status, new):
            return
        await self._executor.report(facts.backend, new)
        for event in events(facts.status, new):
            self._metrics.count(event)
            await self._executor.tell(facts.backend, event)


def parse(live: Manifest) -> LabelStudioBackend:
    """The spec as this release understands it; fields that only a newer one knows are left out."""
    metadata = {key: value for key, value in live["metadata"].items() if key != "managedFields"}
    document = {key: value for key, value in live.items() if key != "status"} | {"metadata": metadata}
    return LabelStudioBackend.model_validate(document, extra="ignore", by_alias=True, by_name=False)


def decided(there: Mapping[ChildKey, Entry], facts: Facts) -> Model:
    """What was decided before: from its record, else what the status and the volume still know of it."""
    entry = there.get(("ConfigMap", record_name(facts.name)))
    if entry is not None:
        return Model.read(entry.resource["data"])
    claim = there.get((WEIGHTS, names.weights(facts.name)))
    ours = claim is not None and owned(claim.resource["metadata"], facts.backend)
    annotations = (claim.resource["metadata"].get("annotations") or {}) if claim and ours else {}
    return Model.recovered(facts.status, Decisions.read(annotations.get(names.DECISIONS, "")))


def _left(facts: Facts) -> str:
    names = [f"{kind} {name}" for kind, name in (*facts.unapplied, *facts.held)]
    return f"not as it should be yet: {', '.join([*facts.refused, *names])}"
