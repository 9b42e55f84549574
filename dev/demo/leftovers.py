"""Which servers of a demonstration run, so that the next one, or `--stop`, can end them."""

import contextlib
import json
import shutil
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from identity import Identity

from demo.errors import DemoError

# Label Studio's data is the first thing that a demonstration writes.
STUDIO = "label-studio"


class Leftovers:
    """The record of started servers in `folder`; it outlives the process that started them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._record = folder / "servers.json"

    def note(self) -> None:
        """Write down the servers that this process has started."""
        children = [Identity.of(child.pid) for child in psutil.Process().children()]
        self.folder.mkdir(parents=True, exist_ok=True)
        self._record.write_text(json.dumps([[child.pid, child.born] for child in children]))

    def end(self) -> int:
        """End the servers that were written down, and all they started; how many still ran."""
        try:
            noted = json.loads(self._record.read_text())
        except (OSError, ValueError):
            return 0
        running = [process for pid, born in noted if (process := Identity(pid, born).process())]
        for process in running:
            end_tree(process)
        self._record.unlink(missing_ok=True)
        return len(running)

    def clear(self) -> None:
        """End the servers and delete all that the run has left on the disk.

        Raises DemoError for a folder whose files are no demonstration's.
        """
        if self.folder.exists() and any(self.folder.iterdir()) and not (self.folder / STUDIO).exists():
            raise DemoError(f"{self.folder} holds files of somebody else: name a folder that is empty or new")
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)


def end_tree(process: psutil.Process, patience: float = 15.0) -> None:
    """Ask a process to end, and kill what is left of it and its descendants `patience` seconds later."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [*process.children(recursive=True), process]
        process.terminate()
        _, alive = psutil.wait_procs(family, patience)
        for member in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        psutil.wait_procs(alive, patience)
