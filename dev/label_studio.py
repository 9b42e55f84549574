"""Start a real Label Studio on this machine, for the demo and the tests, and leave nothing of it behind."""

import argparse
import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from patience import PATIENCE

PROJECT = Path(__file__).parent / "label-studio"
COMMAND = PROJECT / ".venv" / "bin" / "label-studio"

# None takes a variable away, so that Label Studio's own default is seen.
Environment = Mapping[str, str | None]

SETTINGS: Environment = {
    "ML_BLOCK_LOCAL_IP": "false",
    "SSRF_PROTECTION_ENABLED": "false",
    # Nothing here may wait for, or tell, a server on the internet.
    "COLLECT_ANALYTICS": "false",
    "LATEST_VERSION_CHECK": "false",
    "SENTRY_DSN": "",
    "FRONTEND_SENTRY_DSN": "",
    "PYTHONUNBUFFERED": "1",
}

PATIENT: Environment = dict.fromkeys(("ML_CONNECTION_TIMEOUT", "ML_TIMEOUT_HEALTH", "ML_TIMEOUT_SETUP"), "60")
"""For tests: of one second, or three, a crowded machine takes all, and Label Studio then predicts nothing."""


class LabelStudioStartError(Exception):
    """Label Studio did not start; the text holds the end of its log."""


class RunningLabelStudio:
    """One Label Studio process, listening on 127.0.0.1, with a data folder (SQLite) of its own.

    Starting takes about 8 s, and 20 s more the first time, when the database is made. `url` is ready when the
    constructor returns. A data folder of the caller is kept, a temporary one is deleted by `stop`.
    """

    def __init__(
        self,
        port: int | None = None,
        data: Path | None = None,
        username: str = "admin@example.com",
        password: str = "label-studio",  # noqa: S107 - a throw-away installation
        environment: Environment | None = None,
        seconds: float = PATIENCE,
    ) -> None:
        install()
        self.username, self.password = username, password
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._temporary = None if data else tempfile.TemporaryDirectory(prefix="label-studio-")
        self.data = data or Path(self._temporary.name if self._temporary else "")
        self.log = self.data / "label-studio.log"
        self._environment = {**SETTINGS, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        try:
            _fill(self.data)
            self.start(seconds)
        except BaseException:
            self.stop()
            raise

    def start(self, seconds: float = PATIENCE) -> None:
        """Start the process (again, after `pause`, with the same data and port) and wait until it answers."""
        _refuse_taken(self.port)
        credentials = {"LABEL_STUDIO_USERNAME": self.username, "LABEL_STUDIO_PASSWORD": self.password}
        arguments = ["start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(self.port)]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(COMMAND), *arguments],
                cwd=self.data,
                env=_variables({**self._environment, **credentials}, self.data),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait(time.monotonic() + seconds, seconds)

    def pause(self) -> None:
        """End the process and keep the data: Label Studio is down."""
        process, self._process = self._process, None
        if process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
                break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    def stop(self) -> None:
        """End the process and all it started; delete the data folder if it is a temporary one."""
        self.pause()
        if self._temporary is not None:
            self._temporary.cleanup()

    def wait(self) -> int:
        """Wait until the process ends by itself; its exit code."""
        return self._process.wait() if self._process else 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait(self, deadline: float, seconds: float) -> None:
        while not _healthy(self.url):
            code = self._process.poll() if self._process else None
            if code is not None:
                raise LabelStudioStartError(f"Label Studio ended with exit code {code}:\n{self._tail()}")
            if time.monotonic() > deadline:
                raise LabelStudioStartError(
                    f"Label Studio did not answer within {seconds:.0f} s:\n{self._tail()}"
                )
            time.sleep(0.1)

    def _tail(self, lines: int = 30) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def install() -> None:
    """Make Label Studio's own environment from its lock file, if it is missing."""
    if COMMAND.exists():
        return
    uv = [found] if (found := shutil.which("uv")) else [sys.executable, "-m", "uv"]
    environment = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")}
    subprocess.run([*uv, "sync", "--frozen", "--project", str(PROJECT)], check=True, env=environment)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _refuse_taken(port: int) -> None:
    """Label Studio itself would move on to the next port without telling us."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise LabelStudioStartError(f"port {port} of 127.0.0.1 is in use: choose another one with --port")


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _variables(settings: Environment, data: Path) -> dict[str, str]:
    """The process's environment: ours without any Label Studio setting that a shell happens to hold."""
    inherited = {
        k: v for k, v in os.environ.items() if not k.startswith(("LABEL_STUDIO_", "HEARTEX_", "DJANGO_"))
    }
    chosen = {k: v for k, v in settings.items() if v is not None}
    removed = {k for k, v in settings.items() if v is None} | {"HOST", "SECRET_KEY", "PYTHONPATH"}
    kept = {k: v for k, v in inherited.items() if k not in removed}
    return {**kept, **chosen, "LABEL_STUDIO_BASE_DATA_DIR": str(data.absolute())}


def _fill(data: Path) -> None:
    """Give a new data folder an already migrated, empty database: this saves 20 s at each start."""
    data.mkdir(parents=True, exist_ok=True)
    if not (data / "label_studio.sqlite3").exists():
        shutil.copytree(_prepared(), data, dirs_exist_ok=True)
        # One in fifty of the keys that Label Studio makes by itself begins with "$" and cannot be read again:
        # it is replaced at the next start, and every token is refused from then on.
        key = data / ".env"
        key.touch(mode=0o600)
        key.write_text(f"SECRET_KEY={secrets.token_hex(32)}\n")


def _prepared() -> Path:
    lock = hashlib.sha256((PROJECT / "uv.lock").read_bytes()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lsbackends"
    folder = cache / f"label-studio-{lock}"
    if folder.exists():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        fresh = Path(temporary) / "data"
        fresh.mkdir()
        # Any command migrates the database first; this one does nothing else.
        made = subprocess.run(
            [str(COMMAND), "version"],
            cwd=fresh,
            env=_variables(SETTINGS, fresh),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if made.returncode:
            raise LabelStudioStartError(f"Label Studio could not make its database:\n{made.stderr[-3000:]}")
        # Each installation signs with a key of its own.
        (fresh / ".env").unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # somebody else was faster
            fresh.rename(folder)
    return folder


def main() -> None:
    """`python dev/label_studio.py up`: run until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Start a real Label Studio on this machine.")
    up = parser.add_subparsers(required=True).add_parser("up", help="start it and wait for Ctrl-C")
    up.add_argument("--port", type=int, help="port of 127.0.0.1 (default: a free one)")
    up.add_argument("--data", type=Path, help="data folder to keep (default: a temporary one)")
    up.add_argument("--username", default="admin@example.com")
    up.add_argument("--password", default="label-studio")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with (
            contextlib.suppress(KeyboardInterrupt),
            RunningLabelStudio(chosen.port, chosen.data, chosen.username, chosen.password) as studio,
        ):
            print(f"{studio.url}  login {studio.username}, password {studio.password}", flush=True)
            studio.wait()
    except LabelStudioStartError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
