"""The number of processors is the container's, whichever cgroup version says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lsb_backend.runtime.threads import cpu_quota, limit_threads

MACHINE = len(os.sched_getaffinity(0))


def write(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def test_without_cgroups_it_is_the_affinity_mask(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path) == MACHINE


@pytest.mark.parametrize(
    ("maximum", "expected"),
    [("max 100000", MACHINE), ("100000 100000", 1), ("50000 100000", 1), ("9900000 100000", MACHINE)],
)
def test_version_2_inside_a_container(tmp_path: Path, maximum: str, expected: int) -> None:
    write(tmp_path, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": f"{maximum}\n"})
    assert cpu_quota(tmp_path) == expected


def test_version_2_obeys_a_limit_of_a_parent(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/kubepods/pod1/main\n",
        "sys/fs/cgroup/kubepods/pod1/main/cpu.max": "max 100000\n",
        "sys/fs/cgroup/kubepods/pod1/cpu.max": "100000 100000\n",
    }
    assert cpu_quota(write(tmp_path, files)) == 1


@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
@pytest.mark.parametrize(("quota", "expected"), [("-1", MACHINE), ("100000", 1), ("30000", 1)])
def test_version_1(tmp_path: Path, mount: str, quota: str, expected: int) -> None:
    files = {
        "proc/self/cgroup": "5:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n0::/\n",
        f"sys/fs/cgroup/{mount}/cpu.cfs_quota_us": f"{quota}\n",
        f"sys/fs/cgroup/{mount}/cpu.cfs_period_us": "100000\n",
    }
    assert cpu_quota(write(tmp_path, files)) == expected


def test_fractions_are_rounded_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    assert cpu_quota(write(tmp_path, {"sys/fs/cgroup/cpu.max": "390000 100000\n"})) == 3


def test_what_numpy_multiplies_with_starts_no_threads_of_its_own() -> None:
    code = (
        "import os\n"
        "from lsb_backend.runtime.threads import limit_threads\n"
        "limit_threads(1)\n"
        "import numpy\n"
        "numpy.ones((400, 400)) @ numpy.ones((400, 400))\n"
        "print(len(os.listdir('/proc/self/task')), os.environ['OMP_NUM_THREADS'])"
    )
    unset = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", code], env=unset, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "1"]


def test_a_number_of_threads_that_somebody_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "5")
    limit_threads(2)
    assert (os.environ["OMP_NUM_THREADS"], os.environ["OPENBLAS_NUM_THREADS"]) == ("7", "5")
