"""The work queue: a key is never worked on twice at once, repeats fold into one, failures back off."""

import asyncio
import random
from collections.abc import Awaitable, Callable

Key = tuple[str, str]
"""Namespace and name of a backend."""

FIRST_DELAY = 0.2
LONGEST_DELAY = 300.0


class TryLater(Exception):  # noqa: N818
    """The work is not done, and nobody's program is at fault: try again, later each time."""


def backoff(failures: int, jitter: Callable[[float, float], float] = random.uniform) -> float:
    """Seconds to wait after so many failures in a row: doubling from 0.2 to 300, give or take a fifth."""
    return min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(failures - 1, 12)) * jitter(0.8, 1.2)


class Queue:
    """Runs `reconcile(key)` for every key that was added, by `workers` tasks side by side.

    `reconcile` returns the seconds after which to come again (None: when something changes), or raises;
    `report(key, error)` is told of each error, and the key comes again after a growing delay.
    """

    def __init__(
        self,
        reconcile: Callable[[Key], Awaitable[float | None]],
        report: Callable[[Key, Exception], None],
        workers: int = 10,
        delay: Callable[[int], float] = backoff,
    ) -> None:
        self._reconcile = reconcile
        self._report = report
        self._workers = workers
        self._delay = delay
        self._ready: asyncio.Queue[Key | None] = asyncio.Queue()
        self._since: dict[Key, float] = {}
        self._busy: dict[Key, float] = {}
        self._failures: dict[Key, int] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._stopping = False
        self.running = False

    def add(self, key: Key) -> None:
        """Have the key worked on: now, or as soon as the work on it that goes on is done."""
        if key in self._since:
            return
        self._since[key] = asyncio.get_running_loop().time()
        if key not in self._busy:
            self._ready.put_nowait(key)

    def later(self, delay: float, key: Key) -> None:
        """Add the key in `delay` seconds; of several such requests the soonest counts."""
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        if timer is not None:
            if timer.when() <= loop.time() + delay:
                return
            timer.cancel()
        self._timers[key] = loop.call_later(delay, self._due, key)

    def depth(self) -> int:
        """Number of keys that wait or are worked on."""
        return len(self._since.keys() | self._busy.keys())

    def oldest_age(self) -> float:
        """Seconds for which the oldest key has been waiting or worked on; 0 when there is none."""
        oldest = min([*self._since.values(), *self._busy.values()], default=None)
        return 0.0 if oldest is None else asyncio.get_running_loop().time() - oldest

    async def run(self) -> None:
        """Work until `stop`."""
        self.running = True
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work())

    def stop(self) -> None:
        """Finish what is at hand, begin nothing more."""
        self._stopping = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for _ in range(self._workers):
            self._ready.put_nowait(None)

    def _due(self, key: Key) -> None:
        del self._timers[key]
        self.add(key)

    async def _work(self) -> None:
        while True:
            key = await self._ready.get()
            if self._stopping or key is None:
                return
            self._busy[key] = self._since.pop(key)
            try:
                await self._once(key)
            finally:
                del self._busy[key]
                if key in self._since:
                    self._ready.put_nowait(key)

    async def _once(self, key: Key) -> None:
        try:
            again = await self._reconcile(key)
        except Exception as error:
            failures = self._failures.get(key, 0) + 1
            self._failures[key] = failures
            self._report(key, error)
            again = self._delay(failures)
        else:
            self._failures.pop(key, None)
        if again is not None and not self._stopping:
            self.later(again, key)
