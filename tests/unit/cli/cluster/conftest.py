"""The commands about a cluster as people run them, without a cluster: a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
PLUGIN = "from lsb_cli.cluster.plugin import run; run()"


@pytest.fixture
def plugin(tmp_path: Path) -> Run:
    """Run `kubectl-lsb` with arguments, in a home without a kubeconfig."""

    def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        clean = {key: value for key, value in os.environ.items() if key != "KUBECONFIG"}
        return subprocess.run(
            [sys.executable, "-c", PLUGIN, *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**clean, "HOME": str(tmp_path), "COLUMNS": "200", **environment},
            check=False,
        )

    return run


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    """A kubeconfig of a server that is not there."""
    file = tmp_path / "kubeconfig"
    user = {"name": "me", "user": {"token": "t"}}
    cluster = {"name": "gone", "cluster": {"server": "https://127.0.0.1:9"}}
    context = {"name": "gone", "context": {"cluster": "gone", "user": "me", "namespace": "studio"}}
    document = {"clusters": [cluster], "users": [user], "contexts": [context], "current-context": "gone"}
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **document}))
    return file
