"""Telling what happens and how long it took, on a terminal and in a log file alike."""

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console


class Steps:
    """Prints a line for each step when it is done, or a cross when it is not."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._started = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the first step."""
        return time.monotonic() - self._started

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Run one step; what it raises passes through."""
        began = time.monotonic()
        self.console.print(f"  [dim]…[/dim] {title}", end="\r" if self.console.is_terminal else "\n")
        try:
            yield
        except BaseException:
            self.console.print(f"  [red]✗[/red] {title}")
            raise
        self.console.print(
            f"  [green]✓[/green] {title}  [dim]{time.monotonic() - began:.0f} s[/dim]", soft_wrap=True
        )
