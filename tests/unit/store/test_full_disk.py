"""A full disk costs a sentence, never a version. The disk is a real one, of one megabyte."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("full_disk.py")
# A mount namespace of its own: the disk goes with the process, and no privilege is needed for it.
OWN_MOUNTS = ["unshare", "--map-root-user", "--mount", "--propagation", "private"]


def may_mount() -> bool:
    return subprocess.run([*OWN_MOUNTS, "true"], check=False, capture_output=True).returncode == 0


def run(*command: str) -> Any:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(not may_mount(), reason="no right to mount a disk; the limit on file size is tested")
def test_on_a_full_disk(tmp_path: Path) -> None:
    mount = 'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" "$3" "$1/store"'
    report = run(*OWN_MOUNTS, "sh", "-c", mount, "sh", str(tmp_path), sys.executable, str(SCRIPT))
    assert_explained(report, tmp_path / "store")
    assert report["pinned"] is None


def test_at_the_limit_on_file_size(tmp_path: Path) -> None:
    report = run(sys.executable, str(SCRIPT), str(tmp_path / "store"), "--limit")
    assert_explained(report, tmp_path / "store")


def assert_explained(report: dict[str, Any], root: Path) -> None:
    for place, message in report["refusals"].items():
        assert message.startswith(f"{root}: disk full, at least "), place
        assert "bytes are needed" in message, place
        assert "lower training.keepVersions, or use --store" in message, place
        assert "\n" not in message, place
    (version,) = (name for name in report["left"] if name.startswith("0-"))
    assert report["left"] == sorted(
        [".lock", "cache", "promoted.json", "runs", "store.json", version, "versions"]
    )
    assert report["after"] == [0, 1]
