"""Annotations as label lines, whatever was drawn."""

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lsb_backend.dataset.lines import LabelLines, label_lines
from lsb_backend.detection import Detection
from lsb_backend.labels.config import parse
from lsb_backend.labels.kinds import kind_of
from lsb_backend.labels.rectangle import RectangleLabels

CLASSES = ("zebra", "ant")
SIDES = st.integers(1, 20_000)
WILD = st.floats(-300, 400) | st.floats()
# Half a unit in the eighth decimal of a fraction, several times over, in percent.
PERCENT = 1e-5


def lines(
    make: Any, *regions: dict[str, Any], task: str = "detect", size: tuple[int, int] = (320, 240)
) -> LabelLines:
    config = make.polygon_config if task == "segment" else make.config
    return label_lines(make.annotation(*regions), parse(config).controls, CLASSES, task, *size)


def numbers(line: str) -> list[float]:
    return [float(number) for number in line.split()[1:]]


def inside(line: str) -> bool:
    return all(0 <= number <= 1 for number in numbers(line))


def test_a_box_is_class_centre_and_size(make: Any) -> None:
    assert lines(make, make.box("ant")).lines == ("1 0.20000000 0.20000000 0.20000000 0.20000000",)


def test_polygons_are_those_of_label_studios_own_export(make: Any) -> None:
    drawn = make.polygon([[9.375, 10.0], [30.0, 10.0], [30.0, 30.0], [10.0, 30.0]])
    (line,) = lines(make, drawn, task="segment").lines
    assert numbers(line) == [0.09375, 0.1, 0.3, 0.1, 0.3, 0.3, 0.1, 0.3]


def test_turned_boxes_are_those_of_label_studios_own_export(make: Any) -> None:
    drawn = make.box(x=31.25, y=41.666666666666664, width=18.75, height=12.5, rotation=30)
    exported = [0.3125, 0.41666667, 0.47487976, 0.54166667, 0.42800476, 0.64991984, 0.26562500, 0.52491984]
    (line,) = lines(make, drawn, task="obb").lines
    assert numbers(line) == pytest.approx(exported)
    (line,) = lines(make, drawn, task="detect").lines
    left, right, top, bottom = 0.265625, 0.47487976, 0.41666667, 0.64991984
    assert numbers(line) == pytest.approx(
        [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]
    )


@given(
    width=SIDES,
    height=SIDES,
    x=st.floats(0, 90),
    y=st.floats(0, 90),
    w=st.floats(0.01, 10),
    h=st.floats(0.01, 10),
)
def test_boxes_survive_the_way_there_and_back(
    make: Any, width: int, height: int, x: float, y: float, w: float, h: float
) -> None:
    drawn = {"x": x, "y": y, "width": w, "height": h}
    (line,) = lines(make, make.box(**drawn), size=(width, height)).lines
    cx, cy, bw, bh = numbers(line)
    box = ((cx - bw / 2) * width, (cy - bh / 2) * height, (cx + bw / 2) * width, (cy + bh / 2) * height)
    value = RectangleLabels().value(Detection(0, 1.0, box), width, height)
    assert value == pytest.approx({**drawn, "rotation": 0}, abs=PERCENT)


@given(width=SIDES, height=SIDES, x=st.floats(0, 100), y=st.floats(0, 100), w=st.floats(1, 60),
       h=st.floats(1, 60), rotation=st.floats(0, 360))  # fmt: skip
def test_turned_boxes_survive_the_way_there_and_back(
    make: Any, width: int, height: int, x: float, y: float, w: float, h: float, rotation: float
) -> None:
    drawn = make.box(x=x, y=y, width=w, height=h, rotation=rotation)
    drawn |= {"original_width": width, "original_height": height}
    corners = RectangleLabels().outline(drawn["value"], width, height)
    assume(((corners >= 0) & (corners <= 1)).all())
    (line,) = lines(make, drawn, task="obb", size=(width, height)).lines
    pixels = np.array(numbers(line)).reshape(4, 2) * (width, height)
    value = RectangleLabels().value(Detection(0, 1.0, (0, 0, 1, 1), pixels), width, height)  # type: ignore[arg-type]
    assert value is not None
    again = RectangleLabels().outline(value, width, height)
    assert again * (width, height) == pytest.approx(corners * (width, height), abs=1e-6 * max(width, height))


@given(width=SIDES, height=SIDES,
       points=st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=3, max_size=32))  # fmt: skip
def test_polygons_survive_the_way_there_and_back(
    make: Any, width: int, height: int, points: list[tuple[float, float]]
) -> None:
    found = lines(make, make.polygon([list(point) for point in points]), task="segment", size=(width, height))
    assume(found.lines)
    pixels = np.array(numbers(found.lines[0])).reshape(-1, 2) * (width, height)
    detection = Detection(0, 1.0, (0, 0, 1, 1), pixels)  # type: ignore[arg-type]
    value = kind_of("PolygonLabels").value(detection, width, height)
    assume(value is not None)
    assert value is not None
    assert np.array(value["points"]) == pytest.approx(np.array(points), abs=PERCENT)


@pytest.mark.parametrize("task", ["detect", "obb"])
@given(drawn=st.fixed_dictionaries(dict.fromkeys(["x", "y", "width", "height", "rotation"], WILD)),
       width=SIDES, height=SIDES)  # fmt: skip
def test_no_box_makes_a_line_with_nan_or_beyond_the_image(
    make: Any, task: str, drawn: dict[str, float], width: int, height: int
) -> None:
    found = lines(make, make.box(**drawn), task=task, size=(width, height))
    assert len(found.lines) + len(found.left_out) == 1
    assert all(inside(line) for line in found.lines)


@given(st.lists(st.lists(WILD, min_size=2, max_size=2), max_size=12))
def test_no_polygon_makes_a_line_with_nan_or_beyond_the_image(make: Any, points: list[list[float]]) -> None:
    found = lines(make, make.polygon(points), task="segment")
    assert len(found.lines) + len(found.left_out) == 1
    assert all(inside(line) and len(numbers(line)) >= 6 for line in found.lines)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"x": math.nan}, "x is not a finite number"),
        ({"width": math.inf}, "width is not a finite number"),
        ({"rotation": -math.inf}, "rotation is not a finite number"),
        ({"y": "12"}, "y is not a number"),
        ({"width": 0.0}, "no area"),
        ({"height": -3.0}, "no area"),
        ({"height": 1e-9}, "no area"),
        ({"x": 100.0}, "outside the image|no area"),
        ({"x": 150.0}, "outside the image"),
        ({"y": -30.0}, "outside the image"),
        ({"rectanglelabels": []}, "has no label"),
        ({"rectanglelabels": None}, "has no label"),
    ],
)
def test_a_bad_box_is_left_out_and_the_others_stay(make: Any, value: dict[str, Any], reason: str) -> None:
    found = lines(make, make.box(**value), make.box("ant"))
    assert [line[0] for line in found.lines] == ["1"]
    assert found.damaged
    assert len(found.left_out) == 1
    assert re.search(reason, found.left_out[0])


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ([[1, 1], [50, 50]], "2 points and needs three"),
        ([], "0 points"),
        (None, "not a list"),
        ([[1, 1], [50, 50], [99, 99]], "no area"),
        ([[1, 1], [1, 1], [1, 1]], "no area"),
        ([[1, 1], [50, math.nan], [99, 1]], "y is not a finite number"),
        ([[101, 1], [150, 50], [199, 1]], "outside the image"),
        ([[1, 1], [2], [3, 4]], "not a pair"),
    ],
)
def test_a_bad_polygon_is_left_out(make: Any, points: object, reason: str) -> None:
    found = lines(make, make.polygon(points), task="segment")
    assert not found.lines
    assert reason in found.left_out[0]


def test_a_box_beyond_the_image_is_clipped(make: Any) -> None:
    (line,) = lines(make, make.box(x=-10.0, y=90.0, width=20.0, height=20.0)).lines
    assert numbers(line) == pytest.approx([0.05, 0.95, 0.1, 0.1])


def test_a_turned_box_beyond_the_image_keeps_four_corners(make: Any) -> None:
    (line,) = lines(make, make.box(x=90.0, y=50.0, width=30.0, height=10.0, rotation=20), task="obb").lines
    assert len(numbers(line)) == 8
    assert inside(line)


def test_a_region_whose_label_was_removed_is_left_out_and_does_no_damage(make: Any) -> None:
    found = lines(make, make.box("lion"), make.box("ant"))
    assert len(found.lines) == 1
    assert found.left_out == ("its label 'lion' is no longer in the label config",)
    assert not found.damaged


def test_regions_of_other_controls_and_relations_do_no_damage(make: Any) -> None:
    choice = make.region("light", "choices", choices=["day"])
    polygon = make.polygon([[1, 1], [9, 1], [9, 9]])
    relation = {"type": "relation", "from_id": "a", "to_id": "b"}
    config = parse(make.config)
    rectangles = [control for control in config.controls if control.tag == "RectangleLabels"]
    found = label_lines(
        make.annotation(choice, polygon, relation, make.box()), rectangles, CLASSES, "detect", 320, 240
    )
    assert len(found.lines) == 1
    assert found.left_out == ("made with another control (light)", "made with another control (poly)")
    assert not found.damaged


def test_a_bare_rectangle_of_our_control_has_no_label(make: Any) -> None:
    assert lines(make, make.box() | {"type": "rectangle"}).left_out == ("has no label",)


def test_the_first_label_that_is_a_class_counts(make: Any) -> None:
    (line,) = lines(make, make.box(rectanglelabels=["lion", "Ant", "zebra"])).lines
    assert line.startswith("1 ")


def test_a_size_that_is_missing_is_the_images_own(make: Any) -> None:
    turned = make.box(x=40.0, y=40.0, rotation=45)
    bare = {key: value for key, value in turned.items() if not key.startswith("original")}
    assert (
        lines(make, bare, task="obb", size=(320, 240)).lines
        == lines(make, turned, task="obb", size=(9, 9)).lines
    )
    assert (
        lines(make, bare, task="obb", size=(9, 9)).lines
        != lines(make, bare, task="obb", size=(320, 240)).lines
    )


@pytest.mark.parametrize("size", [0, -5, 10**400, "wide", None])
def test_a_size_that_is_nonsense_is_the_images_own(make: Any, size: object) -> None:
    drawn = make.box(x=40.0, y=40.0, rotation=45)
    assert (
        lines(make, drawn | {"original_width": size}, task="obb").lines
        == lines(make, drawn, task="obb").lines
    )


def test_regions_on_a_turned_view_are_left_out(make: Any) -> None:
    found = lines(make, make.box() | {"image_rotation": 90})
    assert found.damaged
    assert "turned by 90 degrees" in found.left_out[0]


@pytest.mark.parametrize("value", [None, 7, [], "text"])
def test_a_region_without_a_value_is_left_out(make: Any, value: object) -> None:
    assert lines(make, make.box() | {"value": value}).left_out == ("has no label",)
