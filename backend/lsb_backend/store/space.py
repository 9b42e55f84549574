"""Turns a full disk into a sentence that says where, how much, and what to do."""

import contextlib
import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from lsb_crds.errors import UserError

# EFBIG is what a limit on the size of files gives instead of a full disk.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class DiskFullError(UserError):
    """The store's file system, or the share of it this user may fill, is full."""


@contextlib.contextmanager
def full_disk_explained(folder: Path, needed: int) -> Iterator[None]:
    """Raise DiskFullError, naming `folder` and `needed` bytes, for any write inside that met a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise DiskFullError(full_disk_message(folder, needed)) from error


def full_disk_message(folder: Path, needed: int) -> str:
    """One line: the folder, the bytes needed and free, and the ways out."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    return (
        f"{folder}: disk full, at least {needed:,} bytes are needed and {free:,} are free: free some space, "
        "lower training.keepVersions, or use --store with a folder on a larger disk"
    )


def tree_size(folder: Path) -> int:
    """Bytes in all files below `folder`."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
