"""Mounts below a folder: taken away before the folder is deleted, so that nothing behind them is."""

import re
import time
from pathlib import Path

from cluster.errors import ClusterError
from cluster.run import attempt

_SECONDS = 20.0


def mounts_below(folder: Path) -> list[str]:
    """Where something is mounted below a folder, the innermost first."""
    points = [_decoded(line.split()[4]) for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return sorted((point for point in points if folder in Path(point).parents), reverse=True)


def unmount_below(folder: Path) -> None:
    """Unmount all of them. Raises ClusterError if one stays: the folder must not be deleted then."""
    deadline = time.monotonic() + _SECONDS
    while left := mounts_below(folder):
        for point in left:
            # A process that is about to end may still hold it.
            attempt("umount", point) or attempt("umount", "--lazy", point)
        if time.monotonic() > deadline:
            raise ClusterError(f"{left[0]} stays mounted: unmount it, then run `make cluster-down` again")


def _decoded(path: str) -> str:
    """The kernel writes a space as its octal number."""
    return re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), path)
