"""The command as people run it: a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MANIFEST = """
apiVersion: lsbackends.dev/v1alpha1
kind: LabelStudioBackend
metadata: {name: cats}
spec:
  labelStudio: {url: "http://127.0.0.1:9"}
  model: {task: dummy}
"""
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A manifest with the dummy task, of a Label Studio that is not there."""
    file = tmp_path / "backend.yaml"
    file.write_text(MANIFEST)
    return file


@pytest.fixture
def lsb(tmp_path: Path) -> Run:
    """Run `lsb` with arguments, its data folder inside the test's own."""

    def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "lsb_cli", *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "XDG_DATA_HOME": str(tmp_path / "data"), "COLUMNS": "200", **environment},
            check=False,
            # What serves although it should refuse would never end.
            timeout=300,
        )

    return run
