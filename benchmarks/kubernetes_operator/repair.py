"""How soon a child that somebody deleted or changed is back, against Kubernetes' own controllers."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.kubernetes_operator.audit import Audit, Request
from benchmarks.kubernetes_operator.bed import SERVED
from benchmarks.kubernetes_operator.client import Client

from lsb_operator.kinds import CHILDREN, JOB, SECRET, Kind
from lsb_operator.names import BACKEND

_PATIENCE = 30.0
_LABEL = "app.kubernetes.io/part-of"
_CLAIM = "PersistentVolumeClaim"
_REPLICA_SET = Kind("apps/v1", "ReplicaSet", "replicasets", JOB.watch)
Meddle = Callable[[str], Awaitable[object]]


async def measure(audit: Audit, admin: Client, resources: int) -> dict[str, Any]:
    """Milliseconds until it is back, for each child of so many resources; in turn with the baseline.

    Jobs are history and Secrets are not watched; a claim is not deleted while a pod is there that uses it.
    """
    taken: dict[str, list[float]] = {"deleted": [], "changed": [], "replica set": []}

    async def change(path: str) -> None:
        await admin.merge(path, {"metadata": {"labels": {_LABEL: "somebody-else"}}})

    for number in range(resources):
        for kind in CHILDREN:
            if kind in (JOB, SECRET):
                continue
            for name in await _names(admin, kind, number):
                taken["changed"].append(await _once(audit, kind, name, change))
                if kind.name != _CLAIM:
                    taken["deleted"].append(await _once(audit, kind, name, admin.delete))
        for name in await _names(admin, _REPLICA_SET, number):
            taken["replica set"].append(await _once(audit, _REPLICA_SET, name, admin.delete))
    return {name: _summary(values) for name, values in taken.items()}


async def _names(admin: Client, kind: Kind, number: int) -> list[str]:
    found = await admin.list(kind.path(SERVED), labelSelector=f"{BACKEND}=cats-{number}")
    return [one["metadata"]["name"] for one in found]


async def _once(audit: Audit, kind: Kind, name: str, meddle: Meddle) -> float:
    """Milliseconds from the answer to who meddled until the answer to who put it right."""
    audit.until_operator_rests(0.5)
    await meddle(kind.path(SERVED, name))
    seen: list[Request] = []
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        seen += [one for one in audit.read() if _about(one, kind, name)]
        meddled = [one for one in seen if one.user == "admin"]
        right = [one for one in seen if one.user != "admin" and one.verb in ("create", "patch")]
        if meddled and right:
            return (right[0].answered - meddled[0].answered) * 1000
        await asyncio.sleep(0.02)
    raise SystemExit(f"{kind.name} {name} was not put right within {_PATIENCE:.0f} s")


def _about(request: Request, kind: Kind, name: str) -> bool:
    this = (request.resource, request.name, request.namespace) == (kind.plural, name, SERVED)
    return this and request.writes and not request.subresource and request.status < 300


def _summary(taken: list[float]) -> dict[str, float]:
    if not taken:
        return {}
    return {"p50": statistics.median(taken), "maximum": max(taken), "times": len(taken)}
