"""`lsb serve` as a process of its own, for the tests and the benchmarks."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

import yaml
from label_studio import free_port
from patience import PATIENCE

T = TypeVar("T")


def until(ask: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
    """Ask until the answer is truthy; raises TimeoutError, naming `what`, when that takes too long."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.1)
    return answer


class ServingProcess:
    """`lsb serve -f` with a manifest, store and log in `folder`."""

    def __init__(self, folder: Path, studio: str, token: str, spec: dict[str, Any], *arguments: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.store = folder / "store"
        self.manifest = folder / "backend.yaml"
        self._log = folder / "serve.log"
        self._token, self._arguments = token, arguments
        self.authorization: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.write_manifest(studio, spec)

    def write_manifest(self, studio: str, spec: dict[str, Any]) -> None:
        """Write the manifest: `spec` with the Label Studio it is for."""
        document = {
            "apiVersion": "lsbackends.dev/v1alpha1",
            "kind": "LabelStudioBackend",
            "metadata": {"name": "end-to-end"},
            "spec": {**spec, "labelStudio": {"url": studio, **spec.get("labelStudio", {})}},
        }
        self.manifest.write_text(yaml.safe_dump(document))

    def start(self, wait: bool = True) -> Self:
        """Start the server, and wait until a model serves."""
        command = ["serve", "-f", str(self.manifest), "--store", str(self.store), "--host", "127.0.0.1"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lsb_cli", *command, "--port", str(self.port), *self._arguments],
                env={**os.environ, "LABEL_STUDIO_API_KEY": self._token},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if wait:
            until(self.ready, f"lsb serve is ready ({self._log})")
        return self

    def ready(self) -> bool:
        """Whether /readyz says so; fails once the server has ended."""
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"lsb serve has ended:\n{self.log}")
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=10) as answer:  # noqa: S310 - our server
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def ask(self, path: str, body: Any = None) -> Any:
        """GET `path`, or POST `body` to it; the JSON of the answer."""
        headers = {"Content-Type": "application/json"}
        if self.authorization:
            headers["Authorization"] = self.authorization
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers)  # noqa: S310 - our server
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            return json.loads(answer.read())

    @property
    def pid(self) -> int:
        """The process that serves; fails while there is none."""
        if self._process is None:
            raise RuntimeError("lsb serve is not running")
        return self._process.pid

    @property
    def version(self) -> str | None:
        """The version that serves, as Label Studio is told."""
        version: str | None = self.ask("/health")["model_version"]
        return version

    @property
    def log(self) -> str:
        """All that the server has said."""
        return self._log.read_text(errors="replace")

    def lsb(self, command: str, *arguments: str) -> str:
        """Run another command on the same manifest and store; what it prints."""
        line = [sys.executable, "-m", "lsb_cli", command, "-f", str(self.manifest), *arguments]
        if command in ("pin", "versions", "train"):
            line += ["--store", str(self.store)]
        environment = {**os.environ, "LABEL_STUDIO_API_KEY": self._token}
        return subprocess.run(line, env=environment, check=True, text=True, stdout=subprocess.PIPE).stdout

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end, as Ctrl-C does; its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: int) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.poll() is None:
            os.kill(process.pid, number)
        return process.wait(PATIENCE)


def basic(user_and_password: str) -> str:
    """The Authorization header of Basic auth."""
    return "Basic " + base64.b64encode(user_and_password.encode()).decode()
