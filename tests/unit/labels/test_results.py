"""Detections as regions: what Label Studio is sent."""

import json
import math

import numpy as np
import pytest

from lsb_backend.detection import Detection
from lsb_backend.labels.config import Control, Label
from lsb_backend.labels.polygon import POINTS_KEPT
from lsb_backend.labels.results import image_regions, regions, score

CAT, DOG = Label("cat"), Label("dog")
BOXES = Control("label", "image", "RectangleLabels", "image", (CAT, DOG))
POLYGONS = Control("poly", "image", "PolygonLabels", "image", (CAT, DOG))
CHOICE = Control("kind", "image", "Choices", "image", (CAT, DOG))
INFINITE = (math.nan, math.inf, -math.inf)


def box(
    left: float, top: float, right: float, bottom: float, index: int = 0, score: float = 0.5
) -> Detection:
    return Detection(index, score, (left, top, right, bottom))


def outlined(points: list[tuple[float, float]]) -> Detection:
    return Detection(0, 0.5, (0, 0, 1, 1), np.array(points, dtype=np.float32))


def test_a_box_is_the_region_that_label_studio_stored_in_the_recording() -> None:
    (region,) = regions([box(32, 24, 96, 72, score=0.91)], BOXES, ["cat", "dog"], 320, 240)
    assert len(region.pop("id")) == 10
    assert region == {
        "from_name": "label",
        "to_name": "image",
        "type": "rectanglelabels",
        "original_width": 320,
        "original_height": 240,
        "image_rotation": 0,
        "score": 0.91,
        "value": {
            "x": 10.0, "y": 10.0, "width": 20.0, "height": 20.0, "rotation": 0, "rectanglelabels": ["cat"],
        },
    }  # fmt: skip


def test_a_polygon_is_the_region_that_label_studio_stored_in_the_recording() -> None:
    detection = outlined([(32, 24), (96, 24), (96, 72), (32, 72)])
    (region,) = regions([detection], POLYGONS, ["cat"], 320, 240)
    assert region["type"] == "polygonlabels"
    assert region["value"] == {
        "points": [pytest.approx(p) for p in ([10, 10], [30, 10], [30, 30], [10, 30])],
        "closed": True,
        "polygonlabels": ["cat"],
    }


def test_a_region_has_an_id_of_its_own() -> None:
    found = regions([box(0, 0, 5, 5)] * 50, BOXES, ["cat"], 10, 10)
    assert len({region["id"] for region in found}) == 50


def test_a_box_beyond_the_image_is_clipped_and_one_outside_is_left_out() -> None:
    found = regions([box(-50, 50, 50, 150), box(200, 0, 300, 10)], BOXES, ["cat"], 100, 100)
    assert [region["value"]["x"] for region in found] == [0.0]
    assert found[0]["value"]["width"] == 50.0
    assert found[0]["value"]["height"] == 50.0


@pytest.mark.parametrize("bad", INFINITE)
@pytest.mark.parametrize("control", [BOXES, POLYGONS])
def test_an_answer_never_holds_a_number_that_json_has_no_word_for(bad: float, control: Control) -> None:
    detections = [
        box(bad, 0, 10, 10),
        box(0, 0, 10, bad),
        box(0, 0, 10, 10, score=bad),
        outlined([(bad, 0), (1, 1), (2, 0), (4, 4)]),
    ]
    assert regions(detections, control, ["cat"], 100, 100) == []


@pytest.mark.parametrize("control", [BOXES, POLYGONS])
def test_a_detection_without_area_is_left_out(control: Control) -> None:
    detections = [box(5, 5, 5, 50), box(5, 5, 50, 5), box(5, 5, 5, 5)]
    assert regions(detections, control, ["cat"], 100, 100) == []


def test_a_turned_box_becomes_a_rotated_region() -> None:
    quarter = outlined([(60, 20), (60, 80), (20, 80), (20, 20)])
    (region,) = regions([quarter], BOXES, ["cat"], 100, 200)
    value = region["value"]
    assert (value["x"], value["y"], value["rotation"]) == (60.0, 10.0, pytest.approx(90))
    assert (value["width"], value["height"]) == (pytest.approx(60.0), pytest.approx(20.0))


def test_each_control_gets_the_detections_that_mean_its_labels() -> None:
    cats = Control("cats", "image", "RectangleLabels", "image", (CAT,))
    dogs = Control("dogs", "image", "RectangleLabels", "image", (DOG,))
    detections = [box(0, 0, 5, 5, 0), box(0, 0, 5, 5, 1), box(0, 0, 5, 5, 2)]
    found = image_regions(detections, [cats, dogs], ["cat", "dog", "tree"], 10, 10)
    assert [(r["from_name"], r["value"]["rectanglelabels"]) for r in found] == [
        ("cats", ["cat"]),
        ("dogs", ["dog"]),
    ]


def test_labels_that_the_model_never_saw_leave_the_regions_of_the_first_control_open() -> None:
    second = Control("second", "image", "RectangleLabels", "image", (DOG,))
    found = image_regions([box(0, 0, 5, 5, 7)], [BOXES, second], ["tree"] * 8, 10, 10)
    assert [(r["from_name"], r["value"]["rectanglelabels"]) for r in found] == [("label", [])]


def test_a_model_without_class_names_means_the_first_label() -> None:
    (found,) = regions([box(0, 0, 5, 5)], BOXES, [], 10, 10)
    assert found["value"]["rectanglelabels"] == ["cat"]


def test_a_class_index_beyond_the_list_is_left_out() -> None:
    assert regions([box(0, 0, 5, 5, 9)], BOXES, ["cat"], 10, 10) == []


def test_an_image_gets_one_choice() -> None:
    detections = [box(0, 0, 5, 5, 0, 0.2), box(0, 0, 5, 5, 1, 0.9)]
    (region,) = regions(detections, CHOICE, ["cat", "dog"], 10, 10)
    assert region["type"] == "choices"
    assert region["value"] == {"choices": ["dog"]}


def test_a_mask_of_many_points_becomes_an_outline_that_a_person_can_edit() -> None:
    angles = np.linspace(0, 2 * math.pi, 700, endpoint=False)
    circle = [(500 + 300 * math.cos(a), 500 + 300 * math.sin(a)) for a in angles]
    (region,) = regions([outlined(circle)], POLYGONS, ["cat"], 1000, 1000)
    points = np.array(region["value"]["points"])
    assert 8 <= len(points) <= POINTS_KEPT
    radii = np.hypot(*(points * 10 - 500).T)
    assert np.abs(radii - 300).max() < 5


def test_scores_are_plain_numbers_and_low_means_uncertain() -> None:
    detections = [Detection(0, np.float32(0.2), (0, 0, 5, 5)), box(0, 0, 5, 5, score=0.4)]  # type: ignore[arg-type]
    found = regions(detections, BOXES, ["cat"], 10, 10)
    json.dumps(found, allow_nan=False)
    assert score(found) == pytest.approx(0.3)
    assert score([]) == 0.0
