"""An operator with many resources: after a restart, at rest, and when somebody meddles."""

import asyncio
import statistics
import time
from collections import Counter
from typing import Any

from benchmarks.kubernetes_operator import repair
from benchmarks.kubernetes_operator.audit import Audit
from benchmarks.kubernetes_operator.bed import (
    SERVED,
    Bed,
    bed,
    cpu_seconds,
    create_volume,
    resident_megabytes,
    settle,
)
from benchmarks.kubernetes_operator.burst import create_backends
from benchmarks.kubernetes_operator.client import Client, connect
from operating import Running

from lsb_operator.kinds import WATCHED
from lsb_operator.names import FIELD_MANAGER, MANAGED_BY

_REST = 5.0
_LONG_REST = 65.0


async def measure(resources: int, idle: float, repaired: int) -> dict[str, Any]:
    """One cluster for all: empty, filled, restarted, at rest, meddled with.

    The rest is that of the new process, so that its resync does not fall into it.
    """
    with bed() as there:
        first, audit = there.operator(), there.audit()
        audit.until_operator_rests(_REST)
        found: dict[str, Any] = {"resources": resources, "empty": await _idle(first, audit, idle)}
        async with connect(there.cluster.kubeconfig, 20) as admin:
            found["filled"] = await _fill(admin, first, audit, resources)
            first.stop()
            running, found["restart"] = await _restart(there, audit, resources)
            found["idle"] = await _idle(running, audit, idle)
            found["repair"] = await repair.measure(audit, admin, min(repaired, resources))
    return found


async def _fill(admin: Client, running: Running, audit: Audit, resources: int) -> dict[str, Any]:
    await asyncio.gather(*(create_volume(admin, SERVED, f"cats-{number}") for number in range(resources)))
    began, before = time.monotonic(), cpu_seconds(running.process.pid)
    await create_backends(admin, SERVED, resources)
    settle(running, resources)
    taken, used = time.monotonic() - began, cpu_seconds(running.process.pid) - before
    # What waits for a node is looked at again and again at first.
    audit.until_operator_rests(_LONG_REST)
    settle(running, resources)
    return {"seconds": taken, "cpu": used, "resident": resident_megabytes(running.process.pid)}


async def _idle(running: Running, audit: Audit, seconds: float) -> dict[str, Any]:
    """What the operator does while nothing happens."""
    pid = running.process.pid
    audit.read()
    before, began = cpu_seconds(pid), time.monotonic()
    await asyncio.sleep(seconds)
    used, taken = cpu_seconds(pid) - before, time.monotonic() - began
    mine = [one for one in audit.read() if one.by_operator]
    return {
        "seconds": taken,
        "cpu percent": used / taken * 100,
        "resident": resident_megabytes(pid),
        "writes": len([one for one in mine if one.writes]),
        "reads": len([one for one in mine if one.reads]),
        "leases": len([one for one in mine if one.resource == "leases"]),
        "watches": len([one for one in mine if one.verb == "watch"]),
        "what": dict(Counter(f"{one.verb} {one.resource}" for one in mine if one.writes or one.reads)),
    }


async def _restart(there: Bed, audit: Audit, resources: int) -> tuple[Running, dict[str, Any]]:
    """A new process, with the seconds from its start until it has looked at everything and waits."""
    audit.until_operator_rests(_REST)
    lists = [await _lists(there) for _ in range(3)]
    audit.read()
    began = time.monotonic()
    again = there.launch().wait()
    settle(again, resources, 0.2)
    taken = time.monotonic() - began
    used, resident = cpu_seconds(again.process.pid), resident_megabytes(again.process.pid)
    mine = [one for one in audit.until_operator_rests(_REST) if one.by_operator]
    figures = {
        "seconds": taken,
        "cpu": used,
        "resident": resident,
        "writes": len([one for one in mine if one.writes]),
        "requests": len(mine),
        "what": dict(Counter(f"{one.verb} {one.resource}" for one in mine if one.writes)),
        "baseline": statistics.median(lists),
    }
    return again, figures


async def _lists(there: Bed) -> float:
    """Seconds in which one client reads, once and one after the other, all that the operator watches."""
    began = time.monotonic()
    async with connect(there.account, 1) as client:
        for kind in WATCHED:
            selector = f"{MANAGED_BY}={FIELD_MANAGER}" if kind.ours else ""
            await client.list(kind.path(SERVED), labelSelector=selector)
    return time.monotonic() - began
