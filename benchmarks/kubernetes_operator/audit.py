"""The API server's audit log: who asked for what, and when it was answered, by the server's own clock."""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from operating import USER, WRITES

from lsb_operator.kinds import CHILDREN, JOB

_CHILDREN = frozenset(kind.plural for kind in CHILDREN if kind is not JOB)
_LONGEST_UNREST = 1200.0


@dataclass(frozen=True, slots=True)
class Request:
    """One answered request; `received` and `answered` are seconds since the epoch."""

    user: str
    agent: str
    verb: str
    resource: str
    subresource: str
    namespace: str
    name: str
    status: int
    received: float
    answered: float

    @property
    def by_operator(self) -> bool:
        """Whether the operator, or whoever has its rights, asked."""
        return self.user == USER

    @property
    def writes(self) -> bool:
        """Whether it changes something other than who is active."""
        return self.verb in WRITES and self.resource != "leases"

    @property
    def reads(self) -> bool:
        """Whether it asks for something, other than to be told of changes or who is active."""
        return self.verb not in (*WRITES, "watch") and self.resource != "leases"


class Audit:
    """Reads a growing audit log on, also over its rotation."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIOWrapper = path.open(encoding="utf-8")
        self._rest = ""

    def read(self) -> list[Request]:
        """What was logged since the last call."""
        found = list(self._drain())
        # A log of 100 MB is renamed, and a new one begun.
        if os.fstat(self._file.fileno()).st_ino != self._path.stat().st_ino:
            found += self._drain()
            self._file.close()
            self._file = self._path.open(encoding="utf-8")
            found += self._drain()
        return found

    def until_quiet(self, seconds: float) -> list[Request]:
        """Wait until nobody has written anything but Events for so long; what was logged meanwhile."""
        return self._until(seconds, lambda one: one.writes and one.resource != "events")

    def until_operator_rests(self, seconds: float) -> list[Request]:
        """Wait until the operator has asked for nothing for so long; what was logged meanwhile."""
        return self._until(seconds, lambda one: one.by_operator and (one.writes or one.reads))

    def _until(self, seconds: float, unrest: Callable[[Request], bool]) -> list[Request]:
        found: list[Request] = []
        began = last = time.monotonic()
        while time.monotonic() - last < seconds:
            if time.monotonic() - began > _LONGEST_UNREST:
                raise SystemExit(f"the cluster did not come to rest within {_LONGEST_UNREST:.0f} s")
            time.sleep(min(0.2, seconds / 3))
            new = self.read()
            found += new
            if any(map(unrest, new)):
                last = time.monotonic()
        return found

    def _drain(self) -> Iterator[Request]:
        *lines, self._rest = (self._rest + self._file.read()).split("\n")
        yield from (_request(json.loads(line)) for line in lines)


def children_written(requests: list[Request], namespace: str) -> list[Request]:
    """The writes of children, Jobs left out, by the operator or with its rights."""
    return [
        one
        for one in requests
        if one.by_operator
        and one.writes
        and one.resource in _CHILDREN
        and not one.subresource
        and one.namespace == namespace
    ]


def asked_for(requests: list[Request], namespace: str) -> list[Request]:
    """The requests that made backends."""
    return [
        one
        for one in requests
        if one.resource == "labelstudiobackends" and one.verb == "create" and one.namespace == namespace
    ]


def _request(entry: dict[str, Any]) -> Request:
    about = entry.get("objectRef") or {}
    return Request(
        user=entry["user"].get("username", ""),
        agent=entry.get("userAgent", ""),
        verb=entry["verb"],
        resource=about.get("resource", ""),
        subresource=about.get("subresource", ""),
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
        status=int((entry.get("responseStatus") or {}).get("code") or 0),
        received=datetime.fromisoformat(entry["requestReceivedTimestamp"]).timestamp(),
        answered=datetime.fromisoformat(entry["stageTimestamp"]).timestamp(),
    )
