"""The control groups of the node's pods: below one group of our own in each hierarchy."""

from pathlib import Path

from cluster.machine import cgroup_folders

ROOT = "/lsbackends"


def make_control_groups() -> None:
    """Make the group below which the kubelet puts its own."""
    for folder in _ours():
        folder.mkdir(exist_ok=True)


def remove_control_groups() -> None:
    """Remove it with all that is below; the processes in it must have ended."""
    for folder in _ours():
        if folder.exists():
            # Its files belong to the kernel and go with it.
            for group in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
                group.rmdir()
            folder.rmdir()


def _ours() -> list[Path]:
    return [folder / ROOT.lstrip("/") for folder in cgroup_folders()]
