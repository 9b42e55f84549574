"""Version 0 from each kind of weights, and what is said of weights that are none."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from lsb_backend.store.card import CardDraft
from lsb_backend.training.errors import DataError
from lsb_backend.training.prepare import prepare
from lsb_crds.errors import UserError


def test_an_architecture_gives_the_same_untrained_version_everywhere(bench: Any, empty: Any) -> None:
    card = prepare(empty.backend(), empty.store, empty.report)
    other = bench.store.versions()[0]
    assert not card.trained
    assert empty.store.target(None) == card.version
    first, second = (
        _weights(store.folder(c.version)) for store, c in ((empty.store, card), (bench.store, other))
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_store_that_serves_is_left_alone(bench: Any) -> None:
    before = bench.store.versions()
    assert prepare(bench.backend(weights="missing.pt"), bench.store, bench.report) == before[0]
    assert bench.store.versions() == before


def test_a_lost_promotion_does_not_bring_the_first_version_back(bench: Any) -> None:
    with bench.store.staging() as staging:
        (staging / "weights.pt").write_bytes(b"learned")
        draft = CardDraft(task="detect", classes=["blue"], run="after-0", trained=True)
        better = bench.store.commit(staging, draft).version
    bench.store.promote(better)
    (bench.store.root / "promoted.json").unlink()
    with pytest.raises(UserError, match=r"promoted\.json: unreadable"):
        prepare(bench.backend(), bench.store, bench.report)
    assert not (bench.store.root / "promoted.json").exists()
    bench.store.pin(better)
    assert prepare(bench.backend(), bench.store, bench.report).version == better


def test_a_file_is_taken_as_trained_weights(bench: Any, empty: Any, tmp_path: Path) -> None:
    weights = tmp_path / "mine.pt"
    shutil.copyfile(bench.store.folder(bench.store.target(None)) / "weights.pt", weights)
    card = prepare(empty.backend(weights=str(weights)), empty.store, empty.report)
    assert card.trained
    assert (empty.store.folder(card.version) / "model.onnx").exists()


def test_the_dummy_needs_nothing_and_makes_way_for_a_model(empty: Any) -> None:
    dummy = prepare(empty.backend("dummy"), empty.store, empty.report)
    assert dummy.sequence == 0
    card = prepare(empty.backend(), empty.store, empty.report)
    assert empty.store.target(None) == card.version != dummy.version


def test_weights_for_another_task_are_refused(bench: Any, empty: Any, tmp_path: Path) -> None:
    weights = tmp_path / "boxes.pt"
    shutil.copyfile(bench.store.folder(bench.store.target(None)) / "weights.pt", weights)
    with pytest.raises(UserError, match=r"boxes\.pt is for the task detect, and model\.task is segment"):
        prepare(empty.backend("segment", weights=str(weights)), empty.store, empty.report)
    assert not empty.store.versions()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"<html>sign in</html>"])
def test_a_file_that_is_no_model_is_refused_in_one_line(empty: Any, tmp_path: Path, content: bytes) -> None:
    weights = tmp_path / "page.pt"
    weights.write_bytes(content)
    with pytest.raises(UserError, match=r"page\.pt is not a model") as caught:
        prepare(empty.backend(weights=str(weights)), empty.store, empty.report)
    assert "\n" not in str(caught.value)
    assert not empty.store.versions()


def test_an_archive_that_holds_no_model_is_refused(empty: Any, tmp_path: Path) -> None:
    weights = tmp_path / "tensor.pt"
    torch.save({"weight": torch.zeros(3)}, weights)
    with pytest.raises(UserError, match=r"tensor\.pt is not a model"):
        prepare(empty.backend(weights=str(weights)), empty.store, empty.report)


@pytest.mark.parametrize("task", ["obb", "classify", "pose"])
def test_a_task_that_is_not_served_is_refused_before_weights_are_looked_for(empty: Any, task: str) -> None:
    with pytest.raises(DataError, match=f"task {task} is not served by this release: .*detect, segment"):
        prepare(empty.backend(task, weights="missing.pt"), empty.store, empty.report)


def test_a_store_of_another_task_is_refused(bench: Any) -> None:
    with pytest.raises(UserError, match="holds versions for the task detect"):
        prepare(bench.backend("segment"), bench.store, bench.report)


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    model: torch.nn.Module = torch.load(folder / "weights.pt", weights_only=False)["model"]
    return dict(model.state_dict())
