"""Files appear whole, and leftovers go without hurting those who still write."""

import errno
import os
from pathlib import Path

import pytest

from lsb_backend.store import atomic


def test_a_file_is_replaced_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic.write_atomic(path, b"old")
    atomic.write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


def test_a_failed_write_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        atomic.write_atomic(tmp_path / "folder", b"data")
    assert os.listdir(tmp_path) == ["folder"]


def test_other_users_may_read_what_the_umask_grants(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        atomic.write_atomic(tmp_path / "file", b"data")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


def test_leftovers_of_the_dead_go_and_work_of_the_living_stays(tmp_path: Path) -> None:
    guard = tmp_path / ".lock"
    (tmp_path / ".tmp-file").write_text("half")
    (tmp_path / ".tmp-folder").mkdir()
    (tmp_path / ".tmp-folder" / "weights.pt").write_text("half")
    with atomic.temporary_folder(tmp_path, guard) as living:
        (living / "weights.pt").write_text("half")
        with atomic.exclusive(guard):
            atomic.clean_leftovers(tmp_path)
        assert sorted(os.listdir(tmp_path)) == sorted([".lock", living.name])
        assert (living / "weights.pt").exists()
    assert os.listdir(tmp_path) == [".lock"]


def test_every_file_and_folder_of_a_tree_is_put_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "inner/b", "inner/c", "inner/deeper/d"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    synced: set[int] = set()
    fsync = os.fsync

    def recorded(descriptor: int) -> None:
        fsync(descriptor)
        synced.add(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", recorded)
    atomic.sync_tree(tmp_path)
    assert synced == {path.stat().st_ino for path in (tmp_path, *tmp_path.rglob("*"))}


def test_a_file_that_cannot_be_put_on_the_disk_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        (tmp_path / f"{number}").touch()
    bad = (tmp_path / "23").stat().st_ino

    def failing(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == bad:
            raise OSError(errno.EIO, "the disk is broken")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError, match="the disk is broken"):
        atomic.sync_tree(tmp_path)
