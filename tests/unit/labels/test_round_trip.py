"""A region that becomes an outline and a detection again is the region that was drawn."""

import contextlib
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lsb_backend.detection import Detection
from lsb_backend.labels.outline import RegionError, clip
from lsb_backend.labels.polygon import PolygonLabels
from lsb_backend.labels.rectangle import RectangleLabels

SIZES = st.integers(1, 20_000)
NUMBERS = st.floats(-1e6, 1e6)
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.text(max_size=3), st.floats(), st.integers(), st.lists(st.floats())
)


def test_a_rotated_box_has_the_corners_of_label_studios_own_export() -> None:
    value = {"x": 31.25, "y": 41.666666666666664, "width": 18.75, "height": 12.5, "rotation": 30}
    corners = RectangleLabels().outline(value, 320, 240)
    exported = [
        (0.3125, 0.41666666666666663),
        (0.47487976320958225, 0.5416666666666665),
        (0.42800476320958225, 0.6499198421397214),
        (0.265625, 0.5249198421397214),
    ]
    assert corners == pytest.approx(np.array(exported))


@given(SIZES, SIZES, st.floats(-50, 150), st.floats(-50, 150), st.floats(0.01, 200), st.floats(0.01, 200),
       st.floats(0, 359.99))  # fmt: skip
def test_rotated_boxes_survive(
    width: int, height: int, x: float, y: float, box_width: float, box_height: float, rotation: float
) -> None:
    kind = RectangleLabels()
    drawn = {"x": x, "y": y, "width": box_width, "height": box_height, "rotation": rotation}
    corners = kind.outline(drawn, width, height)
    pixels = (corners * (width, height)).astype(np.float64)
    assume(pixels.max(axis=0).min() > 0 and (pixels.min(axis=0) < (width, height)).all())
    found = kind.value(Detection(0, 1.0, (0, 0, 1, 1), pixels), width, height)  # type: ignore[arg-type]
    assert found is not None
    # A hundred-thousandth of the image's longer side covers the rounding of sines at any shape.
    again = kind.outline(found, width, height) * (width, height)
    assert again == pytest.approx(pixels, abs=1e-5 * max(width, height))
    assert 0 <= found["rotation"] <= 360


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=12))
def test_clipping_never_leaves_the_image(points: list[tuple[float, float]]) -> None:
    clipped = clip(np.array(points))
    assert np.isfinite(clipped).all()
    assert ((clipped >= 0) & (clipped <= 1)).all()


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=12))
def test_what_lies_in_the_image_is_not_touched(points: list[tuple[float, float]]) -> None:
    outline = np.array(points)
    assert np.array_equal(clip(outline), outline)


def test_a_corner_beyond_the_image_is_cut_off_where_the_edge_crosses() -> None:
    triangle = np.array([(0.5, 0.5), (1.5, 0.5), (0.5, 1.5)])
    assert clip(triangle) == pytest.approx(
        np.array([(0.5, 1.0), (0.5, 0.5), (1.0, 0.5), (1.0, 1.0), (1.0, 1.0)])
    )


@pytest.mark.parametrize("kind", [RectangleLabels(), PolygonLabels()])
@given(value=st.dictionaries(
    st.sampled_from(["x", "y", "width", "height", "rotation", "points"]),
    ANYTHING | st.lists(st.lists(st.floats(), max_size=3), max_size=4),
))  # fmt: skip
def test_any_value_gives_finite_corners_or_a_reason(kind: Any, value: dict[str, Any]) -> None:
    with contextlib.suppress(RegionError):
        assert np.isfinite(kind.outline(value, 100, 50)).all()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e300, "7", None, True])
@pytest.mark.parametrize("key", ["x", "y", "width", "height"])
def test_a_coordinate_that_is_no_number_is_named(key: str, bad: object) -> None:
    value = {"x": 1.0, "y": 1.0, "width": 2.0, "height": 2.0, "rotation": 0, key: bad}
    with pytest.raises(RegionError, match=f"^{key} is not a"):
        RectangleLabels().outline(value, 100, 100)


@pytest.mark.parametrize(
    "points", [None, 3, [], [[1, 1], [2, 2]], [[1, 1], [2, 2], [3]], [[1, 1], [2, 2], 3]]
)
def test_a_polygon_of_too_few_or_broken_points_is_refused(points: object) -> None:
    with pytest.raises(RegionError):
        PolygonLabels().outline({"points": points}, 100, 100)
