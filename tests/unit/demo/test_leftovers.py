"""Servers of an earlier demonstration are ended, and nobody else's process is."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from demo.errors import DemoError
from demo.leftovers import Leftovers, end_tree
from identity import Identity

_SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
_STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
)


_NOTE = (
    "import subprocess, sys; from pathlib import Path; from demo.leftovers import Leftovers;"
    "sleep = [sys.executable, '-c', 'import time; time.sleep(600)'];"
    "server = subprocess.Popen(sleep, stdout=subprocess.DEVNULL);"
    "Leftovers(Path(sys.argv[1])).note(); print(server.pid)"
)
_DEV = Path(__file__).parents[3] / "dev"


@pytest.fixture
def noted(tmp_path: Path) -> psutil.Process:
    """A server that a process wrote down before it ended; not this process, whose children others need."""
    done = subprocess.run(
        [sys.executable, "-c", _NOTE, tmp_path], cwd=_DEV, check=True, stdout=subprocess.PIPE
    )
    return psutil.Process(int(done.stdout))


@pytest.fixture
def server() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(_SLEEP)
    with process:
        yield process
        process.kill()


def test_a_noted_server_is_ended(tmp_path: Path, noted: psutil.Process) -> None:
    assert noted.is_running()
    assert Leftovers(tmp_path).end() == 1
    assert not psutil.pid_exists(noted.pid)


def test_a_stranger_with_the_same_id_is_spared(tmp_path: Path, server: subprocess.Popen[bytes]) -> None:
    earlier = Identity.of(os.getpid()).born
    (tmp_path / "servers.json").write_text(json.dumps([[server.pid, earlier]]))
    assert Leftovers(tmp_path).end() == 0
    assert server.poll() is None


def test_a_noted_server_is_ended_after_the_clock_was_set(
    tmp_path: Path, noted: psutil.Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    booted = psutil.boot_time()
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: booted + 3600)
    assert Leftovers(tmp_path).end() == 1
    assert not psutil.pid_exists(noted.pid)


def test_a_half_written_record_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "servers.json").write_text("[[12")
    assert Leftovers(tmp_path).end() == 0


def test_what_a_run_left_on_the_disk_is_deleted(tmp_path: Path) -> None:
    (tmp_path / "demo" / "label-studio").mkdir(parents=True)
    (tmp_path / "demo" / "backend.log").touch()
    Leftovers(tmp_path / "demo").clear()
    assert not (tmp_path / "demo").exists()


def test_a_folder_of_somebody_else_is_not_deleted(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(DemoError, match="somebody else"):
        Leftovers(tmp_path).clear()
    assert (tmp_path / "thesis.tex").exists()


def test_what_ignores_the_request_is_killed() -> None:
    process = subprocess.Popen([sys.executable, "-c", _STUBBORN], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    end_tree(psutil.Process(process.pid), patience=0.2)
    assert not psutil.pid_exists(process.pid)
