"""What can happen to a call on its way: the operator is killed beside it, or the network or server fails."""

import asyncio
import json
import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

from aiohttp import web

from faults.network import Call, Treatment, pass_on

Moment = Literal["before", "after"]
LONGEST = 60.0
"""Seconds that a call is held up at most: longer than the operator waits for any answer."""


class Kill:
    """Kills the operator before or after call `number`, once; `struck` is the call that it met."""

    def __init__(self, number: int, moment: Moment, kill: Callable[[], None]) -> None:
        self._number, self._moment, self._kill = number, moment, kill
        self.struck: str | None = None

    async def __call__(self, call: Call) -> web.StreamResponse:
        """Treat a call."""
        if self.struck is not None or call.number != self._number:
            return await pass_on(call)
        self.struck = str(call)
        if self._moment == "after":
            # What was asked for is done, and the operator never hears of it.
            (await call.ask()).close()
        self._kill()
        call.cut()
        return web.Response()


class Faults:
    """Gives every call that it suits the `fault`, by the odds; the same seed draws the same numbers."""

    def __init__(
        self, fault: "Fault", seed: int, odds: float, suits: Callable[[Call], bool], most: int
    ) -> None:
        self._fault, self._odds, self._suits, self._most = fault, odds, suits, most
        self._random = random.Random(seed)  # noqa: S311 (it draws faults)
        self.given = 0

    async def __call__(self, call: Call) -> web.StreamResponse:
        """Treat a call."""
        if self.given >= self._most or not self._suits(call) or self._random.random() >= self._odds:
            return await pass_on(call)
        self.given += 1
        return await self._fault(call)


class Outage:
    """From call `first` on everything gets the `fault`, Leases and what is open too, for some seconds."""

    def __init__(self, fault: "Fault", first: int, seconds: float) -> None:
        self._fault, self._first, self._seconds = fault, first, seconds
        self._began: float | None = None
        self._open: set[Call] = set()
        self.given = 0

    async def __call__(self, call: Call) -> web.StreamResponse:
        """Treat a call."""
        now = asyncio.get_running_loop().time()
        if self._began is None and call.number >= self._first:
            self._began = now
            for one in self._open:
                one.cut()
        if self._began is not None and now < self._began + self._seconds:
            self.given += 1
            return await self._fault(call)
        self._open.add(call)
        try:
            return await pass_on(call)
        finally:
            self._open.discard(call)


Fault = Treatment


async def conflict(call: Call) -> web.StreamResponse:
    """Somebody else wrote at the same time."""
    return _refused(409, "Conflict")


async def too_many_requests(call: Call) -> web.StreamResponse:
    """The API server has too much to do, and says when to come again."""
    return _refused(429, "TooManyRequests", {"Retry-After": "1"})


async def internal_error(call: Call) -> web.StreamResponse:
    """The API server fails before it does anything."""
    return _refused(500, "InternalError")


async def unavailable(call: Call) -> web.StreamResponse:
    """The API server is being replaced, and whatever stands before it says so."""
    return _refused(503, "ServiceUnavailable")


async def lost_connection(call: Call) -> web.StreamResponse:
    """The API server does what it is asked for, and the connection ends before its answer."""
    (await call.ask()).close()
    return await refused_connection(call)


async def lost_answer(call: Call) -> web.StreamResponse:
    """The API server does what it is asked for, and its answer gets lost."""
    (await call.ask()).close()
    return _refused(504, "Timeout")


async def refused_connection(call: Call) -> web.StreamResponse:
    """Nobody listens."""
    call.cut()
    return web.Response()


async def silence(call: Call) -> web.StreamResponse:
    """The API server does what it is asked for, and nothing is heard of it until the operator gives up."""
    (await call.ask()).close()
    await asyncio.sleep(LONGEST)
    return await refused_connection(call)


async def dropped_watch(call: Call) -> web.StreamResponse:
    """A watch breaks off after a while, perhaps in the middle of a line."""
    asyncio.get_running_loop().call_later(0.5, call.cut)
    return await pass_on(call)


async def gone(call: Call) -> web.StreamResponse:
    """What the watch wants to go on from is no longer known: everything has to be listed anew."""
    status = _status(410, "Expired")
    return web.Response(text=json.dumps({"type": "ERROR", "object": status}) + "\n")


async def failed_watch(call: Call) -> web.StreamResponse:
    """The API server cannot go on with a watch, which it says in the stream."""
    return web.Response(text=json.dumps({"type": "ERROR", "object": _status(500, "InternalError")}) + "\n")


async def gone_at_once(call: Call) -> web.StreamResponse:
    """The same, said by the HTTP status."""
    return _refused(410, "Expired")


def treatments(seed: int) -> Mapping[str, Faults | Outage]:
    """A treatment for every kind of fault, by its name."""

    def any_call(call: Call) -> bool:
        return True

    def writes(call: Call) -> bool:
        return call.write

    def watches(call: Call) -> bool:
        return call.watch

    def no_watch(call: Call) -> bool:
        return not call.watch

    return MappingProxyType(
        {
            "conflict": Faults(conflict, seed, 0.2, writes, 1000),
            "too many requests": Faults(too_many_requests, seed, 0.05, any_call, 1000),
            "internal error": Faults(internal_error, seed, 0.1, any_call, 1000),
            "unavailable": Faults(unavailable, seed, 0.1, any_call, 1000),
            "lost connection": Faults(lost_connection, seed, 0.2, writes, 1000),
            "lost answer": Faults(lost_answer, seed, 0.2, writes, 1000),
            "refused connection": Faults(refused_connection, seed, 0.1, any_call, 1000),
            # Each of them takes half a minute.
            "silence": Faults(silence, seed, 0.05, no_watch, 2),
            "dropped watch": Faults(dropped_watch, seed, 0.5, watches, 1000),
            "gone": Faults(gone, seed, 0.3, watches, 100),
            "gone at once": Faults(gone_at_once, seed, 0.3, watches, 100),
            "failed watch": Faults(failed_watch, seed, 0.3, watches, 100),
            # Longer than a Lease is good for, and than kopf would try by itself.
            "outage": Outage(refused_connection, 60, 75),
            "outage behind a proxy": Outage(unavailable, 90, 75),
        }
    )


def _refused(code: int, reason: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response(_status(code, reason), status=code, headers=headers)


def _status(code: int, reason: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Status",
        "status": "Failure",
        "message": f"{reason}: made up by a test",
        "reason": reason,
        "code": code,
    }
