"""What a container leaves for whoever looks after it: its termination message, which outlives its log."""

import contextlib
import os
from pathlib import Path
from typing import Final

VARIABLE: Final = "LSB_TERMINATION_LOG"
LONGEST: Final = 4096
"""Bytes that the kubelet reads at most."""


def in_container() -> bool:
    """Whether somebody reads the message: the kubelet makes the file, and nobody else does."""
    return _file().is_file()


def leave(message: str) -> None:
    """Leave the message, without the end of one that is too long; nothing where nobody reads it."""
    if in_container():
        # A disk that is full, or a file of another user, takes no result away: the status has it too.
        with contextlib.suppress(OSError):
            _file().write_bytes(message.encode()[:LONGEST])


def _file() -> Path:
    return Path(os.environ.get(VARIABLE, "/dev/termination-log"))
