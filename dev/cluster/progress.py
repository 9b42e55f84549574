"""Telling somebody who waits that something still happens, on a terminal and in a log alike."""

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console
from rich.status import Status

_QUIET_SECONDS = 20.0


class Progress:
    """Lines on standard error: on a terminal the last one is rewritten, elsewhere there are few."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._status: Status | None = None
        self._told = time.monotonic()

    def say(self, text: str) -> None:
        """A line that stays."""
        self._console.print(text, markup=False)
        self._told = time.monotonic()

    @contextlib.contextmanager
    def work(self, title: str) -> Iterator[None]:
        """Something longer, with `update` in it."""
        if not self._console.is_terminal:
            self.say(title)
            yield
            return
        with self._console.status(title) as self._status:
            yield
        self._status = None

    def update(self, text: str) -> None:
        """How far it is; may be called as often as it likes."""
        if self._status is not None:
            self._status.update(text)
        elif time.monotonic() - self._told > _QUIET_SECONDS:
            self.say(text)
