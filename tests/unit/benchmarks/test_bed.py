"""The parts of the bed that could make a figure mean something else."""

import json
from typing import Any

import cv2
import numpy as np
import pytest
from benchmarks.bed.callers import predict_body, require_answered
from benchmarks.bed.picture_server import marked
from benchmarks.bed.rounds import interleaved
from benchmarks.workers.shapes_of import chunks, grouped, padded

from lsb_backend.runtime import preprocess


def test_a_mark_changes_the_file_and_no_pixel() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    jpeg = cv2.imencode(".jpg", pixels)[1].tobytes()
    files = [jpeg, marked(jpeg, "round-1"), marked(jpeg, "round-2")]
    assert len(set(files)) == 3
    decoded = [cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR) for file in files]
    assert all(np.array_equal(decoded[0], other) for other in decoded[1:])


def test_sides_take_turns_and_the_first_round_is_not_counted() -> None:
    asked: list[str] = []

    def side(name: str) -> Any:
        def ask(number: int) -> float:
            asked.append(f"{name}{number}")
            return float(number)

        return ask

    assert interleaved({"a": side("a"), "b": side("b")}, 2) == {"a": [1.0, 2.0], "b": [1.0, 2.0]}
    assert asked == ["a0", "b0", "a1", "b1", "a2", "b2"]
    asked.clear()
    assert interleaved({"a": side("a")}, 1, warm_up=False) == {"a": [1.0]}
    assert asked == ["a1"]


@pytest.mark.parametrize(
    "results",
    [
        None,
        [],
        [{"result": []}],
        [{"result": []}, {}],
        [{"result": []}, None],
        [{"result": []}, {"result": []}, {"result": []}],
    ],
)
def test_a_server_that_leaves_tasks_out_is_not_measured(results: object) -> None:
    with pytest.raises(SystemExit, match="nothing measured"):
        require_answered({"results": results}, 2)
    require_answered({"results": [{"result": []}, {"result": [1]}]}, 2)


def test_a_request_has_a_task_for_each_picture() -> None:
    body = json.loads(predict_body("<View/>", ["http://a/1.jpg", "http://a/2.jpg"]))
    assert [task["data"]["image"] for task in body["tasks"]] == ["http://a/1.jpg", "http://a/2.jpg"]
    assert [task["id"] for task in body["tasks"]] == [1, 2]


@pytest.mark.parametrize("height", [1, 31, 333, 480, 640, 1080, 3000])
@pytest.mark.parametrize("width", [1, 32, 479, 640, 1920, 4000])
def test_the_limit_computes_pictures_of_the_size_that_we_serve(height: int, width: int) -> None:
    assert padded(height, width, 640) == preprocess.plan(height, width, 640).padded


def test_groups_hold_every_picture_once_and_one_shape_each() -> None:
    shapes = [(384, 640), (640, 640), (384, 640), (384, 640)]
    assert chunks(shapes, 2) == [(0, 2), (3,), (1,)]
    images = [np.zeros((480, 640, 3)), np.zeros((640, 480, 3)), np.zeros((960, 1280, 3))]
    assert grouped(images, 640, 8) == [(0, 2), (1,)]
