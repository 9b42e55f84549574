"""Settings of the kernel that a node changes, put back as they were when it ends."""

import json
from pathlib import Path

from cluster.files import write_privately

_ROOT = Path("/proc/sys")
_SET = {"net/ipv4/ip_forward": "1", "net/bridge/bridge-nf-call-iptables": "1"}
# The kubelet sets these itself.
_CHANGED = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)


def set_sysctls(folder: Path) -> None:
    """Note the settings in `folder`, then make packets go between pods."""
    before = {name: _read(name) for name in (*_SET, *_CHANGED)}
    write_privately(folder / "sysctls.json", json.dumps(before))
    for name, value in _SET.items():
        _write(name, value)


def restore_sysctls(folder: Path) -> None:
    """Put back what was noted."""
    try:
        before = json.loads((folder / "sysctls.json").read_text())
    except FileNotFoundError:
        return
    for name, value in before.items():
        if value is not None and _read(name) != value:
            _write(name, value)


def _read(name: str) -> str | None:
    try:
        return (_ROOT / name).read_text().strip()
    except OSError:
        return None


def _write(name: str, value: str) -> None:
    if (_ROOT / name).exists():
        (_ROOT / name).write_text(value)
