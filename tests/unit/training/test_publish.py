"""The candidate goes into the store once, and the verdict on it is recorded once."""

import json
from pathlib import Path
from typing import Any

import pytest

from lsb_backend.dataset.manifest import Export, ProjectExport
from lsb_backend.store.card import Card, CardDraft, DatasetSummary, Metrics
from lsb_backend.store.promotion import Verdict
from lsb_backend.store.store import Store
from lsb_backend.training.evaluation import Evaluation
from lsb_backend.training.job import Job
from lsb_backend.training.progress import JsonLines
from lsb_backend.training.publish import commit, decide, finish
from lsb_backend.training.result import Outcome, read_result
from lsb_crds.backend import LabelStudioBackend

METRIC = "metrics/mAP50-95(B)"


def _backend(**more: Any) -> LabelStudioBackend:
    return LabelStudioBackend.model_validate(
        {
            "apiVersion": "lsbackends.dev/v1alpha1",
            "kind": "LabelStudioBackend",
            "metadata": {"name": "tiny"},
            "spec": {"labelStudio": {"url": "http://127.0.0.1:9"}, **more},
        }
    )


def _base(store: Store) -> Card:
    with store.staging() as staging:
        (staging / "weights.pt").write_bytes(b"base")
        return store.commit(
            staging, CardDraft(task="detect", classes=[], run="prepare-detect", trained=False)
        )


def _job(folder: Path, **more: Any) -> Job:
    store = Store.open(folder / "store")
    run = store.runs / "after-0"
    (run / "plots").mkdir(parents=True)
    (run / "plots" / "results.png").write_bytes(b"png")
    (run / "trained.pt").write_bytes(b"candidate")
    (run / "model.onnx").write_bytes(b"exported")
    return Job(
        _backend(**more), store, "http://127.0.0.1:9", "", run, JsonLines((folder / "events").open("w"))
    )


def _evaluation(weights: float, exported: float, served: float, base: Card) -> Evaluation:
    figures = [{METRIC: value} for value in (weights, exported, served)]
    return Evaluation(
        metrics=Metrics(weights=figures[0], exported=figures[1], served=figures[2]),
        served_version=base.version,
        classes=["cat"],
        arguments={"epochs": 2},
        dataset=DatasetSummary(digest="0" * 64),
        validation_images=5,
    )


@pytest.mark.parametrize(
    ("runtime", "outcome"), [("openvino", Outcome.REJECTED), ("torch", Outcome.PROMOTED)]
)
def test_what_will_serve_is_what_is_judged(tmp_path: Path, runtime: str, outcome: Outcome) -> None:
    job = _job(tmp_path, serving={"runtime": runtime})
    base = _base(job.store)
    # The export came out worse than the weights.
    evaluation = _evaluation(0.6, 0.4, 0.5, base)
    card = commit(job, base, evaluation)
    result = decide(job, card, evaluation)
    assert result.outcome is outcome
    serves = card.version if outcome is Outcome.PROMOTED else base.version
    assert job.store.target(None) == serves


def test_manual_approval_leaves_the_old_version_serving(tmp_path: Path) -> None:
    job = _job(tmp_path, training={"gate": {"approval": "Manual"}})
    base = _base(job.store)
    evaluation = _evaluation(0.6, 0.6, 0.5, base)
    card = commit(job, base, evaluation)
    assert decide(job, card, evaluation).outcome is Outcome.AWAITING_APPROVAL
    assert job.store.target(None) == base.version
    assert job.store.promotion().verdict(card.version) is Verdict.AWAITING_APPROVAL


def test_done_twice_after_a_kill_it_is_one_version_and_one_verdict(tmp_path: Path) -> None:
    job = _job(tmp_path)
    base = _base(job.store)
    evaluation = _evaluation(0.6, 0.6, 0.5, base)
    card = commit(job, base, evaluation)
    decide(job, card, evaluation)
    # Somebody rolls it back between the kill and the next start.
    job.store.roll_back(card.version, reason="it is worse after all")
    assert commit(job, base, evaluation) == card
    decide(job, card, evaluation)
    assert len(job.store.versions()) == 2
    assert job.store.target(None) == base.version


def test_the_end_of_a_run_removes_what_is_large_and_keeps_what_tells(tmp_path: Path) -> None:
    job = _job(tmp_path)
    base = _base(job.store)
    for name in ("dataset", "checkpoints", "fit", ".tmp-left-by-a-kill"):
        (job.run / name).mkdir()
    evaluation = _evaluation(0.6, 0.6, 0.5, base)
    result = decide(job, commit(job, base, evaluation), evaluation)
    task = {"id": 5, "annotations": [{"id": 1, "result": []}]}
    finish(job, Export(projects=[ProjectExport(id=3, label_config="<View/>", tasks=[task])]), result)
    assert [path.name for path in job.run.iterdir()] == ["result.json"]
    assert read_result(job.run) == result
    assert list(json.loads(job.store.learned_file.read_bytes())) == ["3:5"]


def test_what_a_version_was_made_from_stays_as_long_as_the_version(tmp_path: Path) -> None:
    job = _job(tmp_path)
    base = _base(job.store)
    for name in ("after-0", "failed", "goes-on", "pruned"):
        (job.store.runs / name).mkdir(exist_ok=True)
        (job.store.runs / name / "export.json").write_text("{}")
        if name not in ("after-0", "goes-on"):
            (job.store.runs / name / "result.json").write_text("{}")
    evaluation = _evaluation(0.6, 0.6, 0.5, base)
    result = decide(job, commit(job, base, evaluation), evaluation)
    finish(job, None, result)
    assert sorted(path.parent.name for path in job.store.runs.glob("*/export.json")) == ["after-0", "goes-on"]
