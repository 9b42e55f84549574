"""The threads of a running server follow the quota of its container, those of every library included.

The quota is a stand-in: files as the kernel shows them in a container, for what reads them.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.bed.bed import Bed
from serving import ServingProcess

QUOTAS = {
    "v1": {
        "proc/self/cgroup": "4:cpu,cpuacct:/docker/x\n",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "{quota}00000\n",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    },
    "v2": {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "{quota}00000 100000\n"},
}
# What a server on one processor may have: Python's own threads, and those that a library cannot do without.
# A pool may start one that it does not need yet, up to its bound.
EVENT_LOOP, BLOCKING, MODEL = 1, 1 + 4, 1 + 1
OWN = {"openvino": 3, "onnx": 0, "torch": 0}


def granted(folder: Path, version: str, processors: int) -> str:
    """A folder for PYTHONPATH with which a process finds these files in the place of its own."""
    for name, content in QUOTAS[version].items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.format(quota=processors))
    (folder / "sitecustomize.py").write_text(
        "from pathlib import Path\n"
        "from lsb_backend.runtime import threads\n"
        f"threads.cpu_quota.__defaults__ = (Path({str(folder)!r}),)\n"
    )
    return str(folder)


def threads_of(server: ServingProcess, bed: Bed) -> int:
    """How many threads the process has when it has predicted more pictures than it has threads."""
    for mark in ("first", "second", "third"):
        assert all(server.ask("/predict", json.loads(bed.body(mark)))["results"])
    return len(os.listdir(f"/proc/{server.pid}/task"))


@pytest.mark.parametrize("runtime", ["openvino", "onnx", "torch"])
@pytest.mark.parametrize("version", QUOTAS)
def test_one_processor_means_one_thread_to_compute(
    runtime: str,
    version: str,
    bed: Bed,
    start: Callable[..., ServingProcess],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = f"threads-{runtime}-{version}"
    monkeypatch.setenv("PYTHONPATH", granted(tmp_path, version, 1), prepend=os.pathsep)
    assert threads_of(start(name, runtime), bed) <= EVENT_LOOP + BLOCKING + MODEL + OWN[runtime]
