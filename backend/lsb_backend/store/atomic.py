"""File writes that a reader sees whole or not at all, however the writer ends."""

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TEMPORARY_PREFIX = ".tmp-"
_WRITER_LOCK = ".writer"
# Files that are put on the disk at once.
_SYNCING = 8


def write_atomic(path: Path, data: bytes) -> None:
    """Replace the content of `path` by one rename, on the disk when this returns.

    Raises OSError; then `path` is as it was and nothing is left beside it.
    """
    temporary, descriptor = _locked_temporary(path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            # Renamed while the lock is held, so that no cleaner takes a finished file for a leftover.
            os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def read_or_none(path: Path) -> bytes | None:
    """The content of `path`, or None where there is no such file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def sync_folder(folder: Path) -> None:
    """Put the names inside `folder` on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Put every file and every name below `folder` on the disk. Raises OSError."""
    # A file system writes its journal once for all who wait: several times as fast as one after another.
    with ThreadPoolExecutor(_SYNCING) as pool:
        for root, _, names in os.walk(folder):
            for _ in pool.map(_sync_file, [Path(root) / name for name in names]):
                pass
            sync_folder(Path(root))


@contextlib.contextmanager
def exclusive(lock_file: Path) -> Iterator[None]:
    """Hold the lock file against every other process and thread; the kernel frees it if the holder dies."""
    with lock_file.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def temporary_folder(parent: Path, guard: Path) -> Iterator[Path]:
    """A new folder inside `parent`, removed at the end unless it was renamed by then.

    `guard` is the lock file that `clean_leftovers` is called under: it closes the moment in which the
    folder exists but is not yet marked as in use.
    """
    folder = parent / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"
    with contextlib.ExitStack() as stack:
        with exclusive(guard):
            folder.mkdir()
            writer = stack.enter_context((folder / _WRITER_LOCK).open("ab"))
            fcntl.flock(writer, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def publish_folder(folder: Path, destination: Path) -> None:
    """Give a synced temporary folder its final name in one rename. The caller holds the guard."""
    (folder / _WRITER_LOCK).unlink(missing_ok=True)
    sync_folder(folder)
    folder.rename(destination)
    sync_folder(destination.parent)


def clean_leftovers(folder: Path) -> None:
    """Remove what killed writers left in `folder`; what a living one is writing stays.

    The caller holds the guard of `temporary_folder`.
    """
    for path in folder.glob(f"{TEMPORARY_PREFIX}*"):
        mark = path / _WRITER_LOCK if path.is_dir() else path
        try:
            # Opened for writing because a network file system locks nothing else.
            with mark.open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(path)
        except BlockingIOError:
            continue
        except FileNotFoundError:
            _remove(path)


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _locked_temporary(folder: Path) -> tuple[Path, int]:
    """A new temporary file and its descriptor, locked so that a cleaner knows the writer lives."""
    while True:
        path = folder / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o666)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # A cleaner may have been quicker than the lock; the name is gone then and a new one is taken.
        if os.fstat(descriptor).st_nlink:
            return path, descriptor
        os.close(descriptor)
