"""The backend under demonstration: `lsb serve` with the example's manifest, as anybody would start it."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import yaml

from demo.errors import DemoError
from demo.leftovers import end_tree

MANIFEST = Path(__file__).parents[2] / "examples" / "demo" / "backend.yaml"


class RunningBackend:
    """One `lsb serve` on 127.0.0.1; its log, store and manifest are in `folder`."""

    def __init__(self, folder: Path, port: int, studio_url: str, token: str, project: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "backend.log"
        self.manifest = folder / "backend.yaml"
        self.manifest.write_text(_manifest(studio_url, self.url, project))
        command = ["serve", "-f", str(self.manifest), "--host", "127.0.0.1", "--port", str(port)]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lsb_cli", *command, "--store", str(folder / "store")],
                env={**os.environ, "LABEL_STUDIO_API_KEY": token},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C is answered by the demonstration, which ends its servers in order.
                start_new_session=True,
            )

    def wait_until_ready(self, seconds: float = 180) -> str:
        """Wait for the first version; its name."""
        deadline = time.monotonic() + seconds
        while True:
            model = (self.status() or {}).get("model")
            if model:
                return str(model["version"])
            if time.monotonic() > deadline:
                raise DemoError(f"`lsb serve` has no model ready after {seconds:.0f} s")
            time.sleep(0.3)

    def wait_until_refreshed(self, version: str, seconds: float = 300) -> None:
        """Wait until the predictions of the tasks nobody annotated are those of `version`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            refreshing = (self.status() or {}).get("refreshing") or {}
            if refreshing.get("version") == version and refreshing["finished"]:
                return
            time.sleep(0.3)
        raise DemoError(f"`lsb serve` has not refreshed the predictions after {seconds:.0f} s")

    def status(self) -> dict[str, Any] | None:
        """What /status says, None while it does not answer; raises DemoError once the server has ended."""
        if self._process.poll() is not None:
            raise DemoError(f"`lsb serve` ended with exit code {self._process.returncode}")
        try:
            with urllib.request.urlopen(f"{self.url}/status", timeout=10) as answer:  # noqa: S310 - our server
                status: dict[str, Any] = json.load(answer)
                return status
        except (OSError, urllib.error.URLError, ValueError):
            return None

    def stop(self) -> None:
        """End the server and the training it may run."""
        if self._process.poll() is None:
            end_tree(psutil.Process(self._process.pid))
        self._process.wait()


def _manifest(studio_url: str, backend_url: str, project: int) -> str:
    document = yaml.safe_load(MANIFEST.read_text())
    document["spec"]["labelStudio"].update(url=studio_url, backendURL=backend_url, projects=[project])
    return yaml.safe_dump(document, sort_keys=False)
