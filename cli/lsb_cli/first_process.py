"""What the first process of a container owes the others, when nobody but `lsb` is there to be it."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
_KILLED = 128


def in_a_second_process(command: Callable[[], None]) -> None:
    """Run `command`; as process 1, in a child, while this process passes signals on and buries the dead.

    The kernel keeps from process 1 every signal that it does not handle: SIGTERM during the imports, or in
    a training, would be lost, and the pod be waited for until its grace is over. And what a killed child
    leaves behind becomes process 1's to wait for.
    """
    if os.getpid() != 1:
        command()
        return
    # Blocked until the handlers are there: none may fall between.
    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
    child = os.fork()
    if child == 0:
        _take_the_terminal()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
        command()
        return
    _attend(child)


def _take_the_terminal() -> None:
    """Be the one group that Ctrl-C reaches: passed on besides, it would arrive twice and mean haste."""
    os.setpgid(0, 0)
    if sys.stdin is not None and sys.stdin.isatty():
        before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.tcsetpgrp(sys.stdin.fileno(), os.getpgrp())
        signal.signal(signal.SIGTTOU, before)


def _attend(child: int) -> NoReturn:
    """Wait until `child` ends, and end as it did."""

    def forward(number: int, _: FrameType | None) -> None:
        # It may have ended just now.
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    for number in _FORWARDED:
        signal.signal(number, forward)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    while True:
        ended, status = os.wait()
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            # What there is to clean up is the child's, and done.
            os._exit(code if code >= 0 else _KILLED - code)
