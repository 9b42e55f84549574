"""What `lsb serve` is told on the command line."""

from dataclasses import dataclass
from pathlib import Path

from lsb_backend.serve.address import LOOPBACK
from lsb_crds.backend import LabelStudioBackend


@dataclass(frozen=True, slots=True)
class Pod:
    """What a pod is told by files: the version to serve, and what was decided about others."""

    version_file: Path
    decisions_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """`manifest` is the file `backend` was read from; child processes read it again.

    With `pod` an operator decides what serves and what is trained, and registers the backend.
    """

    manifest: Path
    backend: LabelStudioBackend
    store: Path
    host: str = LOOPBACK
    port: int = 9090
    metrics_port: int | None = None
    token_file: Path | None = None
    root_path: str = ""
    basic_auth_file: Path | None = None
    redis_url_file: Path | None = None
    pod: Pod | None = None

    def child_arguments(self, command: str) -> list[str]:
        """Arguments of `lsb` for a child process that works on the same backend."""
        return [command, "-f", str(self.manifest), "--store", str(self.store)]

    def training_arguments(self, run: str, backend_url: str) -> list[str]:
        """Arguments of `lsb` for the training of a run."""
        arguments = [*self.child_arguments("train"), "--run", run, "--backend-url", backend_url]
        token = ["--token-file", str(self.token_file)] if self.token_file else []
        return arguments + token
