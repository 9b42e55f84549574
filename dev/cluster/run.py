"""Running a program of the machine, with its own words where it fails."""

import subprocess
from collections.abc import Mapping

from cluster.errors import ClusterError


def run(*command: str, input: str | None = None, environment: Mapping[str, str] | None = None) -> str:
    """What the program prints. Raises ClusterError with the end of what it says if it fails."""
    done = subprocess.run(command, input=input, env=environment, capture_output=True, text=True)
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-600:]
        words = " ".join(word for word in command if not word.startswith("-"))[:200]
        raise ClusterError(f"{words}: failed ({done.returncode}): {said}")
    return done.stdout


def attempt(*command: str) -> bool:
    """Run a program of which failure is an answer: whether it succeeded."""
    return subprocess.run(command, capture_output=True).returncode == 0
