"""The demonstration leaves nothing running when interrupted, and starts clean after one that was killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from patience import PATIENCE
from serving import until

DEV = Path(__file__).parents[2] / "dev"
INTERRUPTED = 130


class Demonstration:
    """`python -m demo` in a session and a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._log = folder.with_name("demo.log")
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "demo", "--folder", str(folder)],
                env={**os.environ, "PYTHONPATH": str(DEV), "KEEP": ""},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def servers(self, count: int) -> list[psutil.Process]:
        """Its servers, once it has started and written down `count` of them."""
        return until(lambda: self._noted(count), f"{count} servers were started")

    def until_said(self, words: str) -> None:
        """Wait for a line with `words`; fails once the demonstration has ended without it."""
        until(lambda: words in self.log or self._ended(), f"it says {words!r}")
        assert words in self.log, self.log

    def interrupt(self) -> int:
        """Press Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    @property
    def log(self) -> str:
        """All that it has said."""
        return self._log.read_text(errors="replace")

    def _noted(self, count: int) -> list[psutil.Process]:
        assert not self._ended(), self.log
        try:
            noted = json.loads((self.folder / "servers.json").read_text())
        except (OSError, ValueError):
            return []
        return [psutil.Process(pid) for pid, _ in noted] if len(noted) == count else []

    def _ended(self) -> bool:
        return self.process.poll() is not None


@pytest.fixture
def demonstrate(tmp_path: Path) -> Iterator[Callable[[], Demonstration]]:
    """Starts demonstrations in one folder, one after the other; nothing of them outlives the test."""
    folder = tmp_path / "demo"
    made: list[Demonstration] = []

    def start() -> Demonstration:
        made.append(Demonstration(folder))
        return made[-1]

    yield start
    for one in made:
        one.kill()
    subprocess.run(
        [sys.executable, "-m", "demo", "--stop", "--folder", str(folder)],
        env={**os.environ, "PYTHONPATH": str(DEV)},
        check=True,
    )


def running(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended; a zombie has, and waits only for its parent to notice."""
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def family(processes: list[psutil.Process]) -> list[psutil.Process]:
    """The processes and all that they have started."""
    return [member for one in processes for member in (one, *one.children(recursive=True))]


def named(folder: Path) -> list[psutil.Process]:
    """The processes that were told of the folder."""
    every = psutil.process_iter(["cmdline"])
    return [one for one in every if str(folder) in " ".join(one.info["cmdline"] or [])]


def test_ctrl_c_leaves_no_process_behind(demonstrate: Callable[[], Demonstration]) -> None:
    demonstration = demonstrate()
    servers = demonstration.servers(2)
    demonstration.until_said("Wait until `lsb serve` is ready")
    started = family(servers)
    assert demonstration.interrupt() == INTERRUPTED, demonstration.log
    assert "nothing is left running" in demonstration.log
    assert running(started) == []
    # Nor anything begun after that look, such as the making of the first version.
    assert named(demonstration.folder) == []


def test_a_new_start_ends_and_deletes_what_a_killed_one_left(
    demonstrate: Callable[[], Demonstration],
) -> None:
    first = demonstrate()
    left = family(first.servers(1))
    first.kill()
    assert running(left) == left
    trace = first.folder / "label-studio" / "label-studio.log"
    assert trace.exists()
    second = demonstrate()
    second.until_said("Draw")
    assert running(left) == []
    assert not trace.exists()
    assert second.interrupt() == INTERRUPTED, second.log
