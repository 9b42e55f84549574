"""Carries a plan out: the one module that writes children."""

import asyncio
import secrets
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass

from lsb_operator.api import Api, ApiError
from lsb_operator.cache import Cache
from lsb_operator.children.secrets import NewSecret
from lsb_operator.facts import Key, Manifest
from lsb_operator.kinds import CHILDREN, SECRET, child_kind
from lsb_operator.metrics import Metrics
from lsb_operator.observe import owned
from lsb_operator.plan import Plan, Step, decision_of, key_of, shown, step_of


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a plan.

    `refused` are names that others' objects have, `unapplied` the children that are not yet as wanted, each
    with the API server's answer ("": it is about to be tried again).
    """

    refused: tuple[str, ...] = ()
    unapplied: tuple[tuple[Key, str], ...] = ()


Failures = dict[Key, Exception | None]


class NameTakenError(Exception):
    """Somebody else's object has the name."""


class Applier:
    """Writes children through `api`, keeps the answers in `cache`, and counts."""

    def __init__(self, api: Api, cache: Cache, metrics: Metrics) -> None:
        self._api = api
        self._cache = cache
        self._metrics = metrics

    async def carry_out(self, plan: Plan, backend: Manifest) -> Applied:
        """Make and change children, and delete those that are not wanted; one that fails holds up no other.

        What was decided is written first, or nothing but Secrets is: they do not follow from it. Workloads
        come last, and not before every Secret is made: they vouch for it from then on.
        """
        name = backend["metadata"]["name"]
        failed: Failures = {}
        for step in Step:
            make = [one for one in plan.make if step_of(one, name) is step]
            change = [one for one in plan.change if step_of(one, name) is step]
            if _held(step, failed, name):
                failed |= dict.fromkeys(map(key_of, (*make, *change)))
                continue
            writes = {key_of(one): self._make(one, backend) for one in make}
            writes |= {key_of(one): self._write(one, "change") for one in change}
            if step is Step.DECISION:
                writes |= {key_of(one.manifest): self._secret(one) for one in plan.secrets}
            failed |= await _all(writes)
        failed |= await _all({key_of(one): self._delete(one) for one in plan.delete})
        return _applied(plan, failed)

    async def _make(self, manifest: Manifest, backend: Manifest) -> None:
        """Make an object, or apply to one of ours that the watch has not told of yet."""
        try:
            await self._write(_only_new(manifest), "make")
        except ApiError as error:
            if error.reason != "Conflict":
                raise
            kind, metadata = child_kind(manifest["apiVersion"], manifest["kind"]), manifest["metadata"]
            there = await self._api.metadata(kind, metadata["namespace"], metadata["name"])
            if there is not None and not owned(there["metadata"], backend):
                raise NameTakenError from None
            await self._write(manifest, "make")

    async def _secret(self, new: NewSecret) -> None:
        # 256 bits, of the characters that are safe in a URL.
        if await self._api.create(SECRET, new.filled(secrets.token_urlsafe(32))) is not None:
            self._count(new.manifest, "make")

    async def _write(self, manifest: Manifest, what: str) -> None:
        kind = child_kind(manifest["apiVersion"], manifest["kind"])
        answer = await self._api.apply(kind, manifest)
        self._count(manifest, what)
        self._cache.remember(kind.name, answer)

    async def _delete(self, resource: Manifest) -> None:
        kind = next(kind for kind in CHILDREN if kind.name == resource["kind"])
        await self._api.delete(kind, resource["metadata"])
        self._count(resource, "delete")

    def _count(self, manifest: Manifest, write: str) -> None:
        self._metrics.writes.labels(manifest["kind"], write).inc()


def _only_new(manifest: Manifest) -> Manifest:
    """What makes the object when it is applied, and conflicts with any that is there already.

    No object has ever been written at the version 1, which is that of an empty store.
    """
    return {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": "1"}}


def _held(step: Step, failed: Failures, backend: str) -> bool:
    """Whether this step has to wait, since one before it failed that it builds on."""
    if step is Step.WORKLOADS and any(kind == SECRET.name for kind, _ in failed):
        return True
    return step is not Step.DECISION and decision_of(backend) in failed


async def _all(writes: Mapping[Key, Awaitable[None]]) -> Failures:
    """Await them side by side; the expected errors by key."""
    results = await asyncio.gather(*writes.values(), return_exceptions=True)
    failed: Failures = {}
    for key, result in zip(writes, results, strict=True):
        if isinstance(result, ApiError | NameTakenError):
            failed[key] = result
        elif isinstance(result, BaseException):
            raise result
    return failed


def _applied(plan: Plan, failed: Failures) -> Applied:
    taken = [shown(key) for key, error in failed.items() if isinstance(error, NameTakenError)]
    unapplied = [(key, _answer(error)) for key, error in failed.items() if shown(key) not in taken]
    return Applied(tuple(sorted({*plan.refused, *taken})), (*plan.waiting.items(), *unapplied))


def _answer(error: Exception | None) -> str:
    return error.message if isinstance(error, ApiError) and not error.passing else ""
