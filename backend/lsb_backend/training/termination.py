"""Ends the program at once when it is told to, without losing what is finished."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

# What a shell reports of a process that SIGTERM ended; not 42, so that the training is started again.
TERMINATED = 128 + signal.SIGTERM


@contextlib.contextmanager
def ending_on_sigterm() -> Iterator[None]:
    """Turn SIGTERM into SystemExit while the block runs, in the main thread; elsewhere it has no effect.

    Finished epochs are on the disk already, so nothing is saved on the way out. A handler is needed because
    the first process of a container ignores the signal without one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(TERMINATED)
