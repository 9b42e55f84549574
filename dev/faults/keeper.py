"""A stand-in for the Deployment that runs the operator: a process that ended is started again."""

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path

from cluster import KubectlError
from operating import Studio


class Keeper:
    """Keeps one operator for one namespace running while the context lasts; `starts` counts its processes."""

    def __init__(self, studio: Studio, kubeconfig: Path, log: Path) -> None:
        self._studio, self._log = studio, log
        self._environment = os.environ | {"KUBECONFIG": str(kubeconfig), "LSB_LOG_LEVEL": "INFO"}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Keeper":
        self._start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self.kill()
        self._thread.join()

    def kill(self) -> None:
        """SIGKILL to the process that runs."""
        if self._process is not None:
            self._process.kill()

    def said(self) -> list[str]:
        """The lines of what the processes said."""
        return self._log.read_text(errors="replace").splitlines()

    def _start(self) -> None:
        command = [sys.executable, "-m", "lsb_cli", "operator", f"--namespace={self._studio.name}"]
        command += [f"--lease-namespace={self._studio.name}", "--port=0", "--lease-duration=60"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment)
        self.starts += 1

    def _run(self) -> None:
        while True:
            assert self._process is not None
            self._process.wait()
            if self._end.is_set():
                return
            # The Lease of a dead process would run out by itself, in a minute.
            with contextlib.suppress(KubectlError):
                self._studio.kubectl("delete", "lease", "lsbackends-operator", "--ignore-not-found")
            self._start()
            if self._end.is_set():
                self.kill()
