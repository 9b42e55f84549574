"""From a resource applied to its last child present, against `kubectl apply` of the same children."""

import resource
import statistics
import time
from typing import Any

from benchmarks.kubernetes_operator.audit import Audit, Request, asked_for, children_written
from benchmarks.kubernetes_operator.bed import (
    SERVED,
    Bed,
    bed,
    cpu_seconds,
    create_backend,
    manifests,
)
from benchmarks.kubernetes_operator.client import Client, connect

from lsb_operator.children.text import to_yaml

BASELINE = "baseline"
_REST = 0.7


async def measure(times: int) -> dict[str, Any]:
    """Milliseconds of each, one after the other in turn; both once before, so that both are warm."""
    with bed() as there:
        there.cluster.kubectl("create", "namespace", BASELINE)
        running, audit = there.operator(), there.audit()
        async with connect(there.cluster.kubeconfig, 5) as admin:
            operator, kubectl = [], []
            for number in range(times + 1):
                name = f"cats-{number}"
                audit.until_quiet(_REST)
                before = cpu_seconds(running.process.pid), there.server_cpu()
                await create_backend(admin, SERVED, name)
                requests = audit.until_quiet(_REST)
                after = cpu_seconds(running.process.pid), there.server_cpu()
                operator.append(_operator(requests, name) | _used(before, after))
                kubectl.append(await _kubectl(there, audit, admin, name))
    return {"operator": _summary(operator[1:]), "kubectl": _summary(kubectl[1:])}


def _operator(requests: list[Request], name: str) -> dict[str, float]:
    began = asked_for(requests, SERVED)[0].received
    written = children_written(requests, SERVED)
    if not written:
        raise SystemExit(f"no child of {name} was made: see the operator's log")
    last = max(one.answered for one in written)
    mine = [one for one in requests if one.by_operator and one.namespace == SERVED and one.verb != "watch"]
    return {
        "milliseconds": (last - began) * 1000,
        "children": len(written),
        "requests": len([one for one in mine if began <= one.received <= last]),
        "first": (min(one.received for one in mine) - began) * 1000,
    }


async def _kubectl(there: Bed, audit: Audit, admin: Client, name: str) -> dict[str, float]:
    """`kubectl apply` as a person types it; the owner is there before, and not in the figure."""
    live = await create_backend(admin, BASELINE, name)
    file = there.folder / "children.yaml"
    file.write_text("---\n".join(map(to_yaml, manifests(live))))
    audit.until_quiet(_REST)
    before = _children_cpu(), there.server_cpu()
    began = time.perf_counter()
    there.cluster.kubectl("apply", f"--filename={file}")
    taken = time.perf_counter() - began
    after = _children_cpu(), there.server_cpu()
    requests = audit.until_quiet(_REST)
    mine = [one for one in requests if one.agent.startswith("kubectl") and one.namespace == BASELINE]
    span = max(one.answered for one in mine) - min(one.received for one in mine)
    found = {"milliseconds": taken * 1000, "children": len([one for one in mine if one.writes])}
    return found | {"requests": len(mine), "requests alone": span * 1000} | _used(before, after)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _used(before: tuple[float, float], after: tuple[float, float]) -> dict[str, float]:
    return {"cpu": (after[0] - before[0]) * 1000, "server cpu": (after[1] - before[1]) * 1000}


def _summary(runs: list[dict[str, float]]) -> dict[str, float]:
    taken = sorted(one["milliseconds"] for one in runs)
    others = {
        name: statistics.median(one[name] for one in runs) for name in runs[0] if name != "milliseconds"
    }
    spread = {"p50": statistics.median(taken), "p90": taken[int(len(taken) * 0.9)], "maximum": taken[-1]}
    return {**spread, **others, "runs": len(runs)}
