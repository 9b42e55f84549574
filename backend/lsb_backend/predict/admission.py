"""How much may wait at a time, and who is told to come back later."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lsb_backend.predict.errors import OverloadedError
from lsb_backend.predict.statistics import Statistics

LONGEST_WAIT = 60


@dataclass(slots=True)
class Progress:
    """How far one request is; counts are tasks."""

    total: int
    done: int = 0


class Admission:
    """Lets requests in while fewer than `requests` requests and `tasks` tasks wait.

    A request larger than `tasks` is let in if there is room before it: Label Studio sends all the selected
    tasks in one request, and those that wait behind it get their turn between its tasks.
    """

    def __init__(self, statistics: Statistics, requests: int = 64, tasks: int = 20_000) -> None:
        self._statistics = statistics
        self._requests = requests
        self._tasks = tasks
        self._running: list[Progress] = []

    @property
    def running(self) -> tuple[Progress, ...]:
        """The requests in flight, oldest first."""
        return tuple(self._running)

    @property
    def waiting(self) -> int:
        """Tasks of these requests that are not answered yet."""
        return sum(progress.total - progress.done for progress in self._running)

    @contextmanager
    def enter(self, tasks: int) -> Iterator[Progress]:
        """Count a request in for as long as it runs; raises OverloadedError if too much waits."""
        if len(self._running) >= self._requests or self.waiting >= self._tasks:
            retry_after = self._retry_after()
            raise OverloadedError(
                f"{len(self._running)} requests with {self.waiting} tasks wait already: "
                f"ask again in {retry_after} s.",
                retry_after,
            )
        progress = Progress(tasks)
        self._running.append(progress)
        try:
            yield progress
        finally:
            # Two requests that are equally far are equal; this one must go.
            self._running = [other for other in self._running if other is not progress]

    def _retry_after(self) -> int:
        speed = self._statistics.images_per_second
        seconds = self.waiting / speed if speed else LONGEST_WAIT
        return max(1, min(LONGEST_WAIT, math.ceil(seconds)))
