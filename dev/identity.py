"""Which process is which: ids are used again, and clocks are set."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_STARTED = 21
"""Index of starttime among the fields of /proc/PID/stat."""


@dataclass(frozen=True)
class Identity:
    """A process, told from every other one that had its id or will have it, in this boot or another."""

    pid: int
    born: str

    @classmethod
    def of(cls, pid: int) -> "Identity":
        """That of a running process. Raises psutil.NoSuchProcess."""
        return cls(pid, _born(pid))

    def process(self) -> psutil.Process | None:
        """The process, if it still runs."""
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            if _born(self.pid) == self.born and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None


def _born(pid: int) -> str:
    """The boot, and the clock ticks from it to the start of the process.

    Not the time of day: Linux works it out anew from the present clock, so that it moves by a whole second
    when the clock is corrected by little.
    """
    if not _BOOT.exists():
        # Elsewhere the kernel keeps the time of day at which the process was made.
        return str(psutil.Process(pid).create_time())
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        raise psutil.NoSuchProcess(pid) from None
    # The name of the program, in parentheses, is the one field that can hold a space.
    ticks = stat.rpartition(")")[2].split()[_STARTED - 2]
    return f"{_BOOT.read_text().strip()} {ticks}"
