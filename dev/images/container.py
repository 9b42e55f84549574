"""A container as a careful cluster runs it: somebody's user, no rights, a root that cannot be written to."""

import json
import os
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from images.engine import Engine
from images.errors import ImageError

USER = 12345
"""A user that no image knows."""
GROUP = 23456
"""The group that volumes are given to, as `fsGroup` does it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: exit code, stdout and stderr."""

    code: int
    out: str
    err: str


@dataclass(slots=True)
class Container:
    """One container. `mounts` are folders and files by their path inside; written to are those in `writable`.

    It is in the network of this machine, so that servers on 127.0.0.1 reach each other.
    """

    engine: Engine
    image: str
    arguments: Sequence[str]
    mounts: Mapping[str, Path] = field(default_factory=dict)
    writable: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    shared_memory: str = "64m"
    user: str = f"{USER}:{USER}"
    name: str = field(default_factory=lambda: f"lsbackends-{uuid.uuid4().hex[:12]}")

    def run(self, seconds: float = 300) -> Ended:
        """Run it to its end."""
        command = [self.engine.name, "run", "--rm", *self._options(), self.image, *self.arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def start(self) -> Self:
        """Start it, and leave it running."""
        self.engine.run("run", "--detach", *self._options(), self.image, *self.arguments)
        return self

    def execute(self, *command: str) -> Ended:
        """Run a further program in it, as its own user."""
        done = subprocess.run(
            [self.engine.name, "exec", self.name, *command], capture_output=True, text=True, timeout=300
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.engine.run("inspect", "--format", "{{.State.Running}}", self.name) == "true"

    @property
    def logs(self) -> str:
        """All that it has said, on both streams."""
        command = [self.engine.name, "logs", self.name]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout

    def signal(self, name: str) -> None:
        """Send a signal to its first process."""
        self.engine.run("kill", "--signal", name, self.name)

    def wait(self) -> int:
        """Wait until it ends by itself; its exit code."""
        return int(self.engine.run("wait", self.name))

    def remove(self) -> None:
        """End it at once, if it runs, and forget it."""
        subprocess.run([self.engine.name, "rm", "--force", self.name], capture_output=True)

    def _options(self) -> list[str]:
        options = ["--name", self.name, "--user", self.user, "--group-add", str(GROUP), "--network", "host"]
        options += ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
        options += ["--tmpfs", "/tmp:mode=1777", "--shm-size", self.shared_memory]  # noqa: S108  inside
        options += self.engine.limits
        if self.engine.name == "podman":
            # Its own idea of read-only has more places to write to; HEALTHCHECK needs systemd on the host.
            options += ["--read-only-tmpfs=false", "--no-healthcheck"]
        for target, source in self.mounts.items():
            options += ["--volume", f"{source}:{target}:{'rw' if target in self.writable else 'ro'}"]
        for variable in self.environment.items():
            options += ["--env", "=".join(variable)]
        return options


def configuration(engine: Engine, image: str) -> dict[str, Any]:
    """What an image says of itself: its user, command, labels, HEALTHCHECK."""
    about = json.loads(engine.run("image", "inspect", image))[0]
    found: dict[str, Any] = about["Config"]
    # Podman keeps it beside the rest.
    healthcheck = found.get("Healthcheck") or about.get("HealthCheck") or about.get("Healthcheck")
    if healthcheck is None:
        raise ImageError(f"{image}: has no HEALTHCHECK: build it with --format docker")
    return found | {"Healthcheck": healthcheck}


def give_to_group(folder: Path) -> Path:
    """Let the containers' group write below a folder, as the kubelet does with a volume."""
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, -1, GROUP)
        path.chmod(path.stat().st_mode | (0o2070 if path.is_dir() else 0o060))
    return folder
