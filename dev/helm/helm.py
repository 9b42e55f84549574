"""Helm's commands before one cluster."""

import subprocess
from pathlib import Path


class HelmError(Exception):
    """Helm refused; the text is what it said."""


class Helm:
    """Runs Helm with nothing of its user's: `folder` is where it keeps what it keeps.

    Without a kubeconfig it renders, and knows no cluster.
    """

    def __init__(self, program: Path, folder: Path, kubeconfig: Path | None = None) -> None:
        self._program = program
        # An empty file, rather than none: Helm would take the user's.
        self._kubeconfig = kubeconfig or Path("/dev/null")
        places = {"HELM_CACHE_HOME": "cache", "HELM_CONFIG_HOME": "config", "HELM_DATA_HOME": "data"}
        self._environment = {name: str(folder / place) for name, place in places.items()}

    def run(self, *arguments: str | Path) -> str:
        """What a command prints. Raises HelmError."""
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, env=self.environment)
        if done.returncode:
            raise HelmError(done.stderr.strip() or done.stdout.strip())
        return done.stdout

    def command(self, *arguments: str | Path) -> list[str]:
        """The words of a command, for who runs it by themselves in `environment`."""
        return [str(self._program), *map(str, arguments)]

    @property
    def environment(self) -> dict[str, str]:
        """All of its environment variables."""
        return {**self._environment, "KUBECONFIG": str(self._kubeconfig), "HOME": "/nonexistent"}
