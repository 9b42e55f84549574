"""Docker, Podman or Buildah: which of them is there, and what is said differently to each."""

import os
import resource
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from images.errors import ImageError

NAMES = ("docker", "podman", "buildah")
_CERTIFICATES = "/run/secrets/certificates"
# Podman and Buildah ask for far more, which a machine that may raise no limit refuses.
_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Engine:
    """A program that builds images; `runs` says whether it can start them as well."""

    name: str

    @property
    def runs(self) -> bool:
        """Whether containers can be kept running, asked and ended with it."""
        return self.name != "buildah"

    @property
    def limits(self) -> list[str]:
        """Options that keep a container's limits below what this process itself may have."""
        if self.name == "docker":
            return []
        wanted = (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC))
        options = []
        for name, number in wanted:
            hard = resource.getrlimit(number)[1]
            limit = _LIMIT if hard == resource.RLIM_INFINITY else min(hard, _LIMIT)
            options += ["--ulimit", f"{name}={limit}:{limit}"]
        return options

    def build(self, dockerfile: str, target: str, tag: str, arguments: dict[str, str], folder: Path) -> None:
        """Build one target; what the engine says goes to the terminal. Raises ImageError."""
        options = [option for item in arguments.items() for option in ("--build-arg", "=".join(item))]
        if self.name != "docker":
            # OCI's format has no HEALTHCHECK, and a network of its own needs plugins that may not be there.
            options += ["--format", "docker", "--network", "host", "--layers", *self.limits]
        command = [self.name, "build" if self.name != "buildah" else "bud", *options, *_certificates()]
        command += ["--file", dockerfile, "--target", target, "--tag", tag, "."]
        environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
        if subprocess.run(command, cwd=folder, env=environment).returncode:
            raise ImageError(f"{tag} could not be built: what {self.name} said above is why")

    def run(self, *arguments: str) -> str:
        """Run the engine's command; what it prints. Raises ImageError with its last line."""
        done = subprocess.run([self.name, *arguments], capture_output=True, text=True)
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise ImageError(f"{self.name} {arguments[0]} failed: {said[-1]}")
        return done.stdout.strip()

    def save(self, reference: str, archive: Path) -> None:
        """Write an image into a new file, as `docker load` reads it. Raises ImageError."""
        if self.name == "buildah":
            self.run("push", reference, f"docker-archive:{archive}:{reference}")
        else:
            self.run("save", "--output", str(archive), reference)

    def has(self, reference: str) -> bool:
        """Whether the image is on this machine."""
        return bool(self.run("images", "--quiet", *self._exactly(reference)))

    def pulled(self, reference: str) -> bool:
        """Whether the image is on this machine now, fetched if it was not."""
        if self.has(reference):
            return True
        return subprocess.run([self.name, "pull", reference], stdin=subprocess.DEVNULL).returncode == 0

    def bytes(self, reference: str) -> int:
        """The size of an image with all its layers, uncompressed."""
        if self.name == "buildah":
            # Its inspection knows no size; the storage is Podman's too, where that is installed.
            raise ImageError("the size of an image is known to docker and podman only")
        return int(self.run("image", "inspect", "--format", "{{.Size}}", reference))

    def _exactly(self, reference: str) -> Sequence[str]:
        return [reference] if self.name == "docker" else ["--filter", f"reference={reference}"]


def find(name: str | None = None, *, to_run: bool = False) -> Engine:
    """The engine of that name, else the first that works; raises ImageError where there is none.

    `to_run` asks for one that can also start containers.
    """
    for candidate in [name] if name else NAMES:
        engine = Engine(candidate)
        if candidate in NAMES and (engine.runs or not to_run) and _works(candidate):
            return engine
    if name is not None:
        raise ImageError(f"{name} is not installed or does not answer: use one of {', '.join(NAMES)}")
    what = "docker or podman" if to_run else "docker, podman or buildah"
    raise ImageError(f"images need {what}, and none of them works here: install one (Debian: podman)")


def _works(name: str) -> bool:
    if shutil.which(name) is None:
        return False
    try:
        # Docker's command may be there without its server.
        return subprocess.run([name, "info"], capture_output=True, timeout=20).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _certificates() -> list[str]:
    """Lets the build trust whom this shell trusts: needed behind a proxy that signs by itself."""
    file = os.environ.get("SSL_CERT_FILE")
    if not file or not Path(file).is_file():
        return []
    return ["--build-arg", f"SSL_CERT_FILE={_CERTIFICATES}", "--secret", f"id=certificates,src={file}"]
