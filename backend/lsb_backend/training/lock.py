"""One training at a time in a store, and a clear word for whoever comes second."""

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from lsb_crds.errors import UserError


class TrainingRunsError(UserError):
    """Another process trains in this store."""


@contextlib.contextmanager
def training_lock(path: Path, run: str) -> Iterator[None]:
    """Hold the store's training lock; the kernel frees it when the process ends, however it ends.

    Raises TrainingRunsError, naming the process and the run that hold it.
    """
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TrainingRunsError(
                f"{path}: {_holder(file)} trains in this store: wait until it has ended"
            ) from None
        # Who holds it is for people to read; a full disk must not keep anybody from holding it.
        with contextlib.suppress(OSError):
            file.truncate(0)
            holder = {"pid": os.getpid(), "host": socket.gethostname(), "run": run}
            os.write(file.fileno(), json.dumps(holder).encode())
        yield


def _holder(file: IO[str]) -> str:
    file.seek(0)
    try:
        held = json.load(file)
        return f"process {held['pid']} on {held['host']} (run {held['run']})"
    except (ValueError, KeyError, TypeError):
        # Read between taking the lock and writing the name.
        return "another process"
