"""Asks serving pods what they serve: while versions change, and now and then."""

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import aiohttp

from lsb_operator.children.ports import METRICS_PORT
from lsb_operator.facts import Manifest, Served
from lsb_operator.names import COMPONENT
from lsb_operator.observe import served_by
from lsb_operator.queue import Key

TIMEOUT = 2.0
MOST_BYTES = 256 * 1024
SOONEST, LATEST = 2.0, 60.0
"""Seconds until a pod is asked again that does not serve the target: doubled with each same answer."""
FRESH = 500.0
"""Seconds for which the answer of a pod that serves the target is believed."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a pod said (None: nothing), when, and how often it has said the same."""

    served: Served | None
    at: float
    times: int = 1

    def due(self, target: str | None) -> float:
        """Seconds after which it is asked again."""
        if self.served is not None and self.served.version == target:
            return FRESH
        return float(min(LATEST, SOONEST * 2 ** (self.times - 1)))


class Reports:
    """The answers of pods, kept by backend and pod, and asked for through `session`."""

    def __init__(self, session: aiohttp.ClientSession, port: int = METRICS_PORT) -> None:
        self._session = session
        self._port = port
        self._known: dict[Key, dict[str, Report]] = {}

    async def ask(
        self, key: Key, pods: Iterable[Manifest], target: str | None
    ) -> tuple[dict[str, Served], float | None]:
        """What ready serving pods say, by name; and the seconds until one is asked again (None: never)."""
        ready = {one["metadata"]["uid"]: one for one in pods if _serves(one)}
        before = self._known.get(key, {})
        now = time.monotonic()
        old = {
            uid: before[uid]
            for uid in ready
            if uid in before and now - before[uid].at < before[uid].due(target)
        }
        asked = [uid for uid in ready if uid not in old]
        answers = await asyncio.gather(*(self._report(ready[uid]) for uid in asked))
        new = {uid: _next(before.get(uid), served) for uid, served in zip(asked, answers, strict=True)}
        reports = old | new
        self._remember(key, reports)
        said = {
            ready[uid]["metadata"]["name"]: report.served for uid, report in reports.items() if report.served
        }
        behind = [one for one in reports.values() if one.served is None or one.served.version != target]
        return said, min((one.due(target) for one in behind), default=None)

    def forget(self, key: Key) -> None:
        """Drop what is known of a backend that is gone."""
        self._known.pop(key, None)

    def _remember(self, key: Key, reports: Mapping[str, Report]) -> None:
        if reports:
            self._known[key] = dict(reports)
        else:
            self._known.pop(key, None)

    async def _report(self, pod: Manifest) -> Served | None:
        """What the pod says of itself; None for silence and for what is no report."""
        address = pod["status"]["podIP"]
        host = f"[{address}]" if ":" in address else address
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        try:
            async with self._session.get(
                f"http://{host}:{self._port}/status", timeout=timeout, allow_redirects=False
            ) as answer:
                if answer.status != 200:
                    return None
                return served_by(json.loads(await answer.content.read(MOST_BYTES)))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, AttributeError, TypeError):
            return None


def _next(before: Report | None, served: Served | None) -> Report:
    same = before is not None and before.served == served
    return Report(served, time.monotonic(), before.times + 1 if before is not None and same else 1)


def _serves(pod: Manifest) -> bool:
    status = pod.get("status") or {}
    ready = any(
        one.get("type") == "Ready" and one["status"] == "True" for one in status.get("conditions") or []
    )
    labels = pod["metadata"].get("labels") or {}
    return bool(ready and status.get("podIP") and labels.get(COMPONENT) == "serve")
