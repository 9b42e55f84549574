"""What this machine has and lets us do: checked before a node is started, so that nothing half starts."""

import os
import re
import shutil
from pathlib import Path

from cluster.errors import ClusterError

_PACKAGES = {
    "containerd": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "ctr": "containerd",
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "ipset": "ipset",
    "iptables": "iptables",
    "nft": "nftables",
    "redis-server": "redis-server",
    "runc": "runc",
    "umount": "mount",
}
"""The Debian package of each program that a node needs."""

_PLUGIN_PACKAGE = "containernetworking-plugins"
_PLUGINS = ("bridge", "host-local", "loopback", "portmap")
_PLUGIN_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
_CAP_SYS_RESOURCE = 24


def check_machine() -> None:
    """Raise ClusterError, in one line with what to type, where a node cannot be started."""
    if os.geteuid() != 0:
        raise ClusterError("NODE=1 starts containers, which only root may do: run it as root, or use kind")
    if missing := missing_packages():
        raise ClusterError(
            f"NODE=1 needs {', '.join(missing)}: run `make node-packages`, or "
            f"`apt-get install --no-install-recommends {' '.join(missing)}`"
        )


def packages() -> list[str]:
    """Every Debian package that a node needs."""
    return sorted({*_PACKAGES.values(), _PLUGIN_PACKAGE})


def missing_packages() -> list[str]:
    """Those of them that are not installed."""
    missing = {package for program, package in _PACKAGES.items() if shutil.which(program) is None}
    return sorted(missing | ({_PLUGIN_PACKAGE} if plugin_folder() is None else set()))


def plugin_folder() -> Path | None:
    """The folder with the network plugins, None where one of them is missing."""
    for folder in _PLUGIN_FOLDERS:
        if all((folder / plugin).exists() for plugin in _PLUGINS):
            return folder
    return None


def may_raise_limits() -> bool:
    """Whether this process has CAP_SYS_RESOURCE: without it no limit and no OOM score may be raised."""
    found = re.search(r"^CapEff:\s*([0-9a-f]+)$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return found is not None and bool(int(found[1], 16) >> _CAP_SYS_RESOURCE & 1)


def cgroup_folders() -> list[Path]:
    """The root of each hierarchy of control groups: one with version 2, one a controller with version 1."""
    root = Path("/sys/fs/cgroup")
    if (root / "cgroup.procs").exists():
        return [root]
    return [folder for folder in root.iterdir() if (folder / "cgroup.procs").exists()]
