"""A server of an exported model needs neither torch nor ultralytics, and answers as it does beside them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmarks.bed.bed import Bed
from serving import ServingProcess

REFUSING = """
import sys

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "torchvision", "ultralytics"}:
            raise ModuleNotFoundError(f"{name} was imported", name=name)

sys.meta_path.insert(0, Refusing())
"""


@pytest.fixture
def without_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that are started from here on cannot import what the serving image does not have."""
    (tmp_path / "sitecustomize.py").write_text(REFUSING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)


@pytest.mark.parametrize("runtime", ["openvino", "onnx"])
def test_it_loads_and_predicts_the_same(
    runtime: str, bed: Bed, start: Callable[..., ServingProcess], request: pytest.FixtureRequest
) -> None:
    beside = _predictions(start(f"beside-{runtime}", runtime), bed)
    request.getfixturevalue("without_torch")
    for module in ("torch", "ultralytics"):
        assert subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True).returncode
    without = _predictions(start(f"without-{runtime}", runtime), bed)
    assert [len(one["result"]) for one in beside] == [len(one["result"]) for one in without]
    assert sum(len(one["result"]) for one in beside) >= len(bed.pictures)
    for one, other in zip(_figures(beside), _figures(without), strict=True):
        assert one == pytest.approx(other, abs=1e-3)


def _predictions(server: ServingProcess, bed: Bed) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = server.ask("/predict", json.loads(bed.body("same")))["results"]
    return answer


def _figures(predictions: list[dict[str, Any]]) -> list[dict[str, float]]:
    """The numbers of every region, in the order of the answer."""
    regions = [region for prediction in predictions for region in prediction["result"]]
    sides = ("x", "y", "width", "height")
    return [{"score": one["score"], **{side: one["value"][side] for side in sides}} for one in regions]
