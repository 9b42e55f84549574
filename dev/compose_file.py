"""Reads Compose files as Compose does: with its own command, else with the specification's program."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lsb_crds.errors import UserError

CHECKOUT = Path(__file__).parents[1]
MODULE = Path(__file__).parent / "compose"
_PACKAGE = "github.com/compose-spec/compose-go/v2/cmd"


class ComposeError(UserError):
    """The files are not what the Compose specification asks for, or nothing is here to tell."""


def load(files: Sequence[str]) -> dict[str, Any]:
    """The project that these files of the checkout make, merged and with every default in its place.

    Raises ComposeError with what is wrong, in Compose's words.
    """
    return _with_docker(files) if _docker_compose() else _with_reference(files)


def _docker_compose() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0


def _with_docker(files: Sequence[str]) -> dict[str, Any]:
    options = [option for file in files for option in ("--file", file)]
    return _json(["docker", "compose", *options, "config", "--format", "json"])


def _with_reference(files: Sequence[str]) -> dict[str, Any]:
    return _json([str(_reference()), "-format", "json", *files])


def _reference() -> Path:
    """The specification's own program, built at its pinned version; seconds once Go has it in its cache."""
    go = shutil.which("go")
    if go is None:
        raise ComposeError("compose.yaml is checked by `docker compose` or a Go program: install one of them")
    program = CHECKOUT / ".cache" / "compose-spec"
    environment = {**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}
    done = subprocess.run(
        [go, "build", "-o", str(program), _PACKAGE],
        cwd=MODULE,
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ComposeError(f"the Compose specification's program cannot be built: {done.stderr[-500:]}")
    return program


def _json(command: Sequence[str]) -> dict[str, Any]:
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)
    if done.returncode:
        raise ComposeError(done.stderr.strip())
    project: dict[str, Any] = json.loads(done.stdout)
    return project
