"""Where everything about clusters is kept: outside the work tree, a folder for each cluster."""

import os
import re
from pathlib import Path

from cluster.errors import ClusterError

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")


def cache() -> Path:
    """The folder for what can be made again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lsbackends"


def clusters() -> Path:
    """The folder with a folder for each cluster."""
    return cache() / "running"


def cluster_folder(name: str) -> Path:
    """The folder of one cluster. Raises ClusterError for a name that cannot be a folder, or kind's name."""
    if not _NAME.fullmatch(name):
        raise ClusterError(f"--name {name!r}: must be at most 40 lower-case letters, digits and '-'")
    return clusters() / name
