"""A cluster of containers, where Docker runs and kind is installed."""

import shutil
import subprocess
from pathlib import Path

from cluster.api import Api
from cluster.errors import ClusterError
from cluster.extended_resources import Node, advertise

_PREFIX = "lsbackends-"


def usable() -> bool:
    """Whether kind is installed and Docker answers."""
    if not (shutil.which("kind") and shutil.which("docker")):
        return False
    try:
        return subprocess.run(["docker", "info"], capture_output=True, timeout=20).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def start_kind(folder: Path, name: str, node: Node | None = None) -> None:
    """Make the cluster; its kubeconfig goes into the folder. Raises ClusterError with what kind says.

    kind has a node, a DNS and a default StorageClass by itself; a `node` adds the stand-in GPUs. Images come
    from their registries, and this project's own are loaded.
    """
    kubeconfig = folder / "kubeconfig"
    cluster = _PREFIX + name
    _run("create", "cluster", "--name", cluster, "--kubeconfig", str(kubeconfig), "--wait", "180s")
    if node is not None and node.gpus:
        advertise(Api(kubeconfig), f"{cluster}-control-plane", node.gpus)


def load_into_kind(name: str, archive: Path) -> None:
    """Load the images of an archive into the cluster's node. Raises ClusterError."""
    _run("load", "image-archive", str(archive), "--name", _PREFIX + name)


def stop_kind(folder: Path, name: str) -> None:
    """Delete the cluster and its containers."""
    _run("delete", "cluster", "--name", _PREFIX + name, "--kubeconfig", str(folder / "kubeconfig"))


def _run(*arguments: str) -> None:
    done = subprocess.run(["kind", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise ClusterError(f"kind {' '.join(arguments[:2])} failed:\n{done.stderr[-2000:]}")
