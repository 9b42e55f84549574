"""The newest epoch that can be read is the one to go on from."""

import os
from pathlib import Path

import pytest
import torch

from lsb_backend.training.checkpoints import BEST, KEPT, keep, newest
from lsb_backend.training.fit import rows_until


@pytest.fixture
def last(tmp_path: Path) -> Path:
    path = tmp_path / "last.pt"
    torch.save({"epoch": 0, "ema": {"weight": torch.arange(10_000.0)}, "model": None}, path)
    return path


@pytest.mark.parametrize("damage", ["truncated", "emptied", "overwritten"])
def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path, last: Path, damage: str) -> None:
    folder = tmp_path / "checkpoints"
    for epoch in (9, 10):
        keep(last, folder, epoch)
    whole = (folder / "epoch-10.pt").read_bytes()
    damaged = {"truncated": whole[: len(whole) // 2], "emptied": b"", "overwritten": b"\0" * len(whole)}[
        damage
    ]
    (folder / "epoch-10.pt").write_bytes(damaged)
    found = newest(folder)
    assert found is not None
    assert found.epoch == 9


def test_epochs_are_numbers_and_only_the_newest_are_kept(tmp_path: Path, last: Path) -> None:
    folder = tmp_path / "checkpoints"
    for epoch in range(1, 12):
        keep(last, folder, epoch)
    assert sorted(path.name for path in folder.iterdir()) == ["epoch-10.pt", "epoch-11.pt"]
    assert len(list(folder.iterdir())) == KEPT


def test_the_best_epoch_stays_whatever_comes_after_it(tmp_path: Path, last: Path) -> None:
    folder = tmp_path / "checkpoints"
    for epoch in range(1, 6):
        last.write_bytes(f"epoch {epoch}".encode())
        keep(last, folder, epoch, best=epoch in (1, 2))
    assert (folder / BEST).read_text() == "epoch 2"
    assert sorted(path.name for path in folder.iterdir()) == [BEST, "epoch-4.pt", "epoch-5.pt"]


def test_where_a_file_can_have_one_name_only_the_best_is_a_copy(
    tmp_path: Path, last: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    keep(last, tmp_path / "checkpoints", 1, best=True)
    assert (tmp_path / "checkpoints" / BEST).read_bytes() == last.read_bytes()


def test_the_best_epoch_is_kept_before_its_epoch_counts(
    tmp_path: Path, last: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "checkpoints"
    keep(last, folder, 1, best=True)
    replaced = Path.replace

    def killed(path: Path, target: Path) -> Path:
        if target.name == "epoch-2.pt":
            raise KeyboardInterrupt
        return replaced(path, target)

    last.write_bytes(b"epoch 2")
    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        keep(last, folder, 2, best=True)
    found = newest(folder)
    assert found is not None
    assert found.epoch == 1
    assert (folder / BEST).read_bytes() == b"epoch 2"


def test_what_a_killed_copy_left_is_no_checkpoint(tmp_path: Path, last: Path) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    last.rename(folder / ".tmp-epoch-3.pt")
    assert newest(folder) is None


def test_without_a_folder_there_is_no_checkpoint(tmp_path: Path) -> None:
    assert newest(tmp_path / "missing") is None


def test_the_table_of_epochs_is_cut_back_to_the_checkpoint() -> None:
    table = "epoch,loss\n1,5\n2,4\n3,3.5\n3,"
    assert rows_until(table, 2) == "epoch,loss\n1,5\n2,4\n"
    assert rows_until(table, 3) == "epoch,loss\n1,5\n2,4\n3,3.5\n"
    assert rows_until("", 3) == ""
