"""A whole run with real training: what comes of it, and what becomes of the next one."""

import json
import shutil
from pathlib import Path
from typing import Any

from lsb_backend.store.store import Store
from lsb_backend.training.result import Outcome, read_result


def test_a_run_leaves_a_version_with_figures_and_pictures(learned: Any) -> None:
    zero, card = learned.store.versions()
    assert (card.parent, card.run, card.trained) == (zero.version, "after-0", True)
    metrics = card.metrics
    assert metrics.exported.keys() == metrics.weights.keys() == metrics.served.keys() != set()
    plots = {"results.png", "confusion_matrix.png", "sample-1-before.jpg", "sample-1-after.jpg"}
    assert {f"plots/{name}" for name in plots} <= set(card.plots)
    folder = learned.store.folder(card.version)
    assert all((folder / name).stat().st_size for name in (*card.plots, "model.onnx"))
    assert sum(card.dataset.counts[part] for part in ("train", "validation")) == 12
    assert "ultralytics" in card.libraries
    assert card.log_tail


def test_a_run_says_its_verdict_with_both_figures_and_remembers_its_tasks(learned: Any) -> None:
    result = read_result(learned.run())
    assert result is not None
    assert learned.store.promotion().verdict(result.version) is not None
    assert f"{result.candidate:.3f} against {result.served:.3f}" in result.message
    assert len(json.loads(learned.store.learned_file.read_bytes())) == 12


def test_a_finished_run_is_not_done_again(learned: Any) -> None:
    before = learned.store.versions()
    assert learned.train(learned.backend()) == read_result(learned.run())
    assert learned.store.versions() == before
    assert learned.report.stages == []


def test_an_annotation_whose_label_is_gone_is_no_class_beyond_the_list(learned: Any) -> None:
    card = learned.store.versions()[-1]
    assert card.classes == ["blue", "red"]
    labels = {name.split()[1] for name in card.dataset.counts if " " in name}
    assert labels == {"blue", "red"}
    assert sum(count for name, count in card.dataset.counts.items() if " " in name) == 8


def test_a_changed_label_set_is_learned_by_the_next_version(learned: Any, tasks: Any, tmp_path: Path) -> None:
    shutil.copytree(learned.store.root, tmp_path / "store")
    bench = type(learned)(tmp_path, Store.open(tmp_path / "store"))
    parent = bench.store.versions()[-1].version
    bench.store.pin(parent)
    # The order is another, one label is gone, and of the two new ones one means a class of old.
    labels = ["green", "red", "navy=blue"]
    bench.freeze(labels, tasks(8, ["green", "red", "navy"]), number=1)
    result = bench.train(bench.backend(epochs=1), number=1)
    card = bench.store.card(result.version)
    assert card.classes == ["green", "red", "navy"]
    assert card.parent == parent
    assert "Remapped 2/3 cls head rows" in (bench.run(1) / "log.txt").read_text()


def test_outlines_are_learned_by_a_model_for_segmentation(empty: Any, tasks: Any) -> None:
    empty.freeze(["blue", "red"], tasks(8, ["blue", "red"], "segment"))
    result = empty.train(empty.backend("segment", epochs=1))
    assert result.outcome in (Outcome.REJECTED, Outcome.PROMOTED)
    assert result.metric == "metrics/mAP50-95(M)"
    assert "metrics/mAP50(M)" in empty.store.card(result.version).metrics.exported
