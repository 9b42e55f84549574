"""Files appear whole, and leftovers go without hurting those who still write."""

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
