"""What the manifest may tell ultralytics, and what is ours."""

import pytest

from lsb_backend.runtime.ultralytics_settings import ultralytics_environment
from lsb_backend.training.arguments import ignored, merge
from lsb_backend.training.errors import DataError


@pytest.fixture(autouse=True, scope="module")
def _environment() -> None:
    ultralytics_environment()


def test_the_manifest_wins_over_defaults_and_never_over_what_is_ours() -> None:
    merged = merge({"batch": 3, "resume": True, "data": "coco8.yaml", "patience": 5}, 30, 320, gpu=False)
    expected = {"epochs": 30, "imgsz": 320, "batch": 3, "nbs": 3, "seed": 0, "workers": 8, "patience": 5}
    assert merged == expected


def test_the_weights_move_after_every_batch_unless_the_manifest_says_otherwise() -> None:
    assert merge({}, 30, 320, gpu=False)["nbs"] == 8
    assert merge({"nbs": 64}, 30, 320, gpu=False)["nbs"] == 64
    # A share of the GPU's memory: ultralytics finds the batch itself.
    assert "nbs" not in merge({"batch": 0.7}, 30, 320, gpu=True)


def test_a_training_may_still_begin_from_nothing() -> None:
    assert merge({"pretrained": False}, 30, 320, gpu=False)["pretrained"] is False


def test_what_is_left_out_is_named() -> None:
    assert ignored({"lr0": 0.1, "save": False, "resume": True}) == ["resume", "save"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epoch": 3}, "did you mean epochs"),
        ({"lr0": "fast"}, "lr0"),
        ({"device": "0,1"}, "one device"),
        ({"device": [0, 1]}, "one device"),
        ({"pretrained": "https://example.org/other.pt"}, "pretrained: names a model file"),
        ({"distill_model": "/tmp/teacher.pt"}, "distill_model: names a model file"),
    ],
)
def test_a_bad_argument_is_refused_in_one_line(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        merge(arguments, 30, 320, gpu=False)
    assert str(caught.value).startswith("training.arguments")
    assert "\n" not in str(caught.value)
