"""The environment of label-studio-sdk, which is made from its lock file when it is first needed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.bed.environment import ROOT, as_shipped
from benchmarks.bed.worker import Worker

PROJECT = ROOT / "benchmarks" / "label_studio_sdk"
PYTHON = PROJECT / ".venv" / "bin" / "python"


def worker(folder: Path, module: str, **settings: Any) -> Worker:
    """A script of `benchmarks.workers` in that environment."""
    _install()
    environment = {**as_shipped(folder), "PYTHONPATH": str(ROOT)}
    return Worker(module, folder, environment, str(PYTHON), **settings)


def _install() -> None:
    if PYTHON.exists():
        return
    uv = [found] if (found := shutil.which("uv")) else [sys.executable, "-m", "uv"]
    environment = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")}
    subprocess.run([*uv, "sync", "--frozen", "--project", str(PROJECT)], check=True, env=environment)
