"""How many processors this process may really use: in a container not as many as the machine has."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Threads that wait for a disk or compute a digest beside those that decode; Python's own rule adds as many,
# but to the processors of the whole machine.
_BESIDE = 4


def limit_threads(processors: int) -> None:
    """Tell libraries that are not imported yet how many threads to have: they read it once, and never ask
    for the quota of a container. What somebody has set already stays.
    """
    os.environ.setdefault("OMP_NUM_THREADS", str(processors))
    # What numpy multiplies here is small, and the threads of its library spin while they wait for more.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def own_threads(processors: int) -> ThreadPoolExecutor:
    """Threads for an event loop's blocking work; OpenCV's are turned off.

    Pictures are decoded side by side, so threads inside of one would be in each other's way.
    """
    import cv2

    cv2.setNumThreads(1)
    return ThreadPoolExecutor(processors + _BESIDE, thread_name_prefix="blocking")


def cpu_quota(root: Path = Path("/")) -> int:
    """Whole processors granted by the cgroups (v1 or v2) and the affinity mask, at least 1.

    Fractions are rounded down: threads that share a quota are all throttled once it is used up.
    `root` is where `proc` and `sys` are found.
    """
    granted = [float(len(os.sched_getaffinity(0))), *_unified_quotas(root), *_legacy_quotas(root)]
    return max(1, int(min(granted)))


def _unified_quotas(root: Path) -> Iterator[float]:
    """Quotas of cgroup v2: `cpu.max` holds `<quota or max> <period>` in microseconds."""
    for folder in _folders(root / "sys/fs/cgroup", _group_path(root, "")):
        words = _read(folder / "cpu.max").split()
        if len(words) == 2 and words[0] != "max":
            yield int(words[0]) / int(words[1])


def _legacy_quotas(root: Path) -> Iterator[float]:
    """Quotas of cgroup v1, in microseconds; a quota of -1 is none."""
    for mount in ("cpu", "cpu,cpuacct"):
        for folder in _folders(root / "sys/fs/cgroup" / mount, _group_path(root, "cpu")):
            quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
            if quota and period and int(quota) > 0 and int(period) > 0:
                yield int(quota) / int(period)


def _group_path(root: Path, controller: str) -> str:
    """The path of this process's group; lines are `<id>:<controllers>:<path>`, v2 has no controllers."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path.strip("/")
    return ""


def _folders(mount: Path, path: str) -> Iterator[Path]:
    """The group's folder and those above it: each of them may set a limit for all below."""
    folder = mount / path
    while folder != mount:
        yield folder
        folder = folder.parent
    yield mount


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
