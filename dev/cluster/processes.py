"""The processes of a cluster: started, written down, and ended, these and no others."""

import contextlib
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from identity import Identity

from cluster.files import write_privately

_PATIENCE = 10.0


class Processes:
    """What was started in a cluster's folder, in order; the record outlives who started it."""

    def __init__(self, folder: Path) -> None:
        self._record = folder / "processes.json"
        self._logs = folder / "logs"
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start a process that outlives this one, with its output in logs/NAME.log."""
        self._logs.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=self._logs,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(process)
        known = {**self.known(), name: Identity.of(process.pid)}
        write_privately(self._record, json.dumps({key: [it.pid, it.born] for key, it in known.items()}))

    def known(self) -> dict[str, Identity]:
        """Everything that was started, whether or not it runs."""
        try:
            return {name: Identity(*noted) for name, noted in json.loads(self._record.read_text()).items()}
        except FileNotFoundError:
            return {}

    def running(self) -> dict[str, psutil.Process]:
        """What of it runs."""
        return {name: process for name, it in self.known().items() if (process := it.process())}

    def memory(self) -> int:
        """Bytes that they hold in memory, what they share counted for each."""
        total = 0
        for process in self.running().values():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
        return total

    def ended(self) -> list[str]:
        """What of it does not run any more."""
        return [name for name in self.known() if name not in self.running()]

    def log(self, name: str) -> Path:
        """Where a process writes."""
        return self._logs / f"{name}.log"

    def tail(self, name: str, lines: int = 15) -> str:
        """The last lines that a process wrote."""
        return "\n".join(self.log(name).read_text(errors="replace").splitlines()[-lines:])

    def end(self) -> None:
        """End all of them at once, without asking: nothing of what they hold is kept."""
        running = self.running().values()
        for process in running:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(running, _PATIENCE)
        for child in self._started:
            child.wait()
        self._record.unlink(missing_ok=True)
