"""Many resources at once, against server-side apply of the same children by one client."""

import asyncio
import time
from typing import Any

from benchmarks.kubernetes_operator.audit import Audit, asked_for, children_written
from benchmarks.kubernetes_operator.bed import (
    SERVED,
    Bed,
    bed,
    cpu_seconds,
    create_backend,
    manifests,
    settle,
)
from benchmarks.kubernetes_operator.client import Client, connect
from operating import Running

_REST = 3.0
_BASELINES = ("before", "after")


async def measure(resources: int, connections: int) -> dict[str, Any]:
    """Children a second: of the client, of the operator, of the client again."""
    with bed() as there:
        running, audit = there.operator(), there.audit()
        async with (
            connect(there.cluster.kubeconfig, 20) as admin,
            connect(there.account, connections) as client,
        ):
            found: dict[str, Any] = {"connections": connections}
            found["before"] = await _baseline(there, audit, admin, client, "before", resources)
            found["operator"] = await _operator(there, audit, admin, running, resources)
            found["after"] = await _baseline(there, audit, admin, client, "after", resources)
    rates = [found[name]["children a second"] for name in _BASELINES]
    found["share"] = found["operator"]["children a second"] / (sum(rates) / len(rates))
    return found


async def create_backends(admin: Client, namespace: str, resources: int) -> list[dict[str, Any]]:
    """Make so many backends at once."""
    made = (create_backend(admin, namespace, f"cats-{number}") for number in range(resources))
    return await asyncio.gather(*made)


async def _baseline(
    there: Bed, audit: Audit, admin: Client, client: Client, namespace: str, resources: int
) -> dict[str, float]:
    there.cluster.kubectl("create", "namespace", namespace)
    backends = await create_backends(admin, namespace, resources)
    wanted = [manifest for live in backends for manifest in manifests(live)]
    audit.until_quiet(_REST)
    before = time.process_time(), there.server_cpu()
    await client.apply_all(wanted)
    after = time.process_time(), there.server_cpu()
    written = children_written(audit.until_quiet(_REST), namespace)
    seconds = max(one.answered for one in written) - min(one.received for one in written)
    return _figures(len(written), seconds, before, after)


async def _operator(
    there: Bed, audit: Audit, admin: Client, running: Running, resources: int
) -> dict[str, float]:
    pid = running.process.pid
    before = cpu_seconds(pid), there.server_cpu()
    await create_backends(admin, SERVED, resources)
    settle(running, resources)
    after = cpu_seconds(pid), there.server_cpu()
    requests = audit.until_quiet(_REST)
    written = children_written(requests, SERVED)
    began = min(one.received for one in asked_for(requests, SERVED))
    return _figures(len(written), max(one.answered for one in written) - began, before, after)


def _figures(
    children: int, seconds: float, before: tuple[float, float], after: tuple[float, float]
) -> dict[str, float]:
    return {
        "children": children,
        "seconds": seconds,
        "children a second": children / seconds,
        "cpu": after[0] - before[0],
        "server cpu": after[1] - before[1],
    }
