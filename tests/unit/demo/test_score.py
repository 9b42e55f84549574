"""The figures of the table: perfect boxes score near 1, and each kind of mistake costs what it should."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from demo.annotator import annotation
from demo.pictures import CLASSES, Picture, generate
from demo.score import Predicted, figures, predicted

DEV = Path(__file__).parents[3] / "dev"


@pytest.fixture(scope="module")
def drawn() -> list[Picture]:
    return generate(6, seed=5)


def _perfect(picture: Picture) -> list[Predicted]:
    return [Predicted(thing.label, 0.9, thing.box) for thing in picture.things]


def test_perfect_boxes_score_near_one(drawn: list[Picture]) -> None:
    reached = figures(drawn, [_perfect(picture) for picture in drawn])
    assert reached.map50 > 0.99
    assert reached.map50_95 > 0.99


def test_no_boxes_score_zero(drawn: list[Picture]) -> None:
    assert figures(drawn, [[] for _ in drawn]).map50 == 0


def test_wrong_labels_score_zero(drawn: list[Picture]) -> None:
    wrong = {name: CLASSES[index - 1] for index, name in enumerate(CLASSES)}
    found = [[Predicted(wrong[box.label], box.score, box.box) for box in _perfect(p)] for p in drawn]
    assert figures(drawn, found).map50 < 0.1


def test_a_thing_found_twice_is_once_a_mistake(drawn: list[Picture]) -> None:
    scores = iter(np.linspace(0.9, 0.1, 200))
    found = [
        [Predicted(thing.label, float(next(scores)), thing.box) for thing in picture.things for _ in range(2)]
        for picture in drawn
    ]
    assert 0.4 < figures(drawn, found).map50 < 0.8


def test_shifted_boxes_count_at_low_overlap_only(drawn: list[Picture]) -> None:
    def shifted(box: Predicted) -> Predicted:
        left, top, right, bottom = box.box
        step = (right - left) * 0.2  # leaves an overlap of 0.8 / 1.2
        return Predicted(box.label, box.score, (left + step, top, right + step, bottom))

    reached = figures(drawn, [[shifted(box) for box in _perfect(picture)] for picture in drawn])
    assert reached.map50 > 0.99
    assert 0.3 < reached.map50_95 < 0.5


def test_newest_prediction_of_the_version_is_taken(drawn: list[Picture]) -> None:
    result = annotation(drawn[0], np.random.default_rng(0))
    stored = [
        {"id": 3, "model_version": "1-aaaaaaaa", "result": [{**region, "score": 0.5} for region in result]},
        {"id": 1, "model_version": "1-aaaaaaaa", "result": []},
        {"id": 9, "model_version": "0-bbbbbbbb", "result": []},
    ]
    found = predicted(stored, "1-aaaaaaaa")
    assert [box.label for box in found] == [thing.label for thing in drawn[0].things]
    assert predicted(stored, "2-cccccccc") == []


def test_annotated_boxes_lie_within_a_few_pixels(drawn: list[Picture]) -> None:
    result = [{**region, "score": 1.0} for region in annotation(drawn[0], np.random.default_rng(0))]
    found = predicted([{"id": 1, "model_version": "v", "result": result}], "v")
    apart = np.abs(np.array([b.box for b in found]) - np.array([t.box for t in drawn[0].things]))
    assert 0 < apart.max() < 8


def test_judging_writes_nothing_into_the_home_of_a_person(tmp_path: Path) -> None:
    program = (
        "from demo.pictures import generate; from demo.score import Predicted, figures;"
        "[picture] = generate(1); thing = picture.things[0];"
        "print(figures([picture], [[Predicted(thing.label, 0.9, thing.box)]]))"
    )
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=DEV,
        env={**os.environ, **home},
        check=True,
        capture_output=True,
        text=True,
    )
    assert said.stdout.startswith("Figures(")
    assert said.stderr == ""
    assert list(tmp_path.iterdir()) == []
