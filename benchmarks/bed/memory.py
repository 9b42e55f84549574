"""What a process and those it started hold in memory."""

import contextlib
import threading
from types import TracebackType
from typing import Self

import psutil  # type: ignore[import-untyped]

_MEBIBYTE = 2**20
_PAUSE = 0.02  # seconds between two looks


def resident(pid: int) -> float:
    """Resident MiB of a process with all that it started."""
    process = psutil.Process(pid)
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += one.memory_info().rss
    return total / _MEBIBYTE


class Peak:
    """The most MiB that were resident while a `with` block ran."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.mebibytes = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while True:
            self.mebibytes = max(self.mebibytes, resident(self._pid))
            if self._over.wait(_PAUSE):
                return

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
