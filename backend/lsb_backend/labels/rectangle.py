"""RectangleLabels: boxes, upright or turned about their top left corner."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsb_backend.detection import Detection
from lsb_backend.labels.outline import Outline, RegionError, percent


@dataclass(frozen=True, slots=True)
class RectangleLabels:
    """Upright boxes of a detection, turned ones of four corner points (`model.task: obb`)."""

    tag: str = "RectangleLabels"
    once: bool = False

    def value(self, detection: Detection, width: int, height: int) -> dict[str, Any] | None:
        """See Kind. An upright box is clipped to the image; a turned one cannot be and stays a rectangle."""
        if detection.polygon is not None and len(detection.polygon) == 4:
            return _turned(detection.polygon.astype(np.float64), width, height)
        return _upright(detection.box, width, height)

    def outline(self, value: Mapping[str, Any], width: int, height: int) -> Outline:
        """See Kind. Four corners: top left, then clockwise, as the box was before it was turned."""
        left, top = percent(value, "x"), percent(value, "y")
        box_width, box_height = percent(value, "width"), percent(value, "height")
        if box_width <= 0 or box_height <= 0:
            raise RegionError("its box has no area")
        angle = math.radians(percent(value, "rotation")) if value.get("rotation") else 0.0
        # Turned in pixels: percent of the width and percent of the height are of different length.
        size = np.array([width, height], dtype=np.float64)
        along = np.array([math.cos(angle), math.sin(angle)]) * (box_width * width) / size
        down = np.array([-math.sin(angle), math.cos(angle)]) * (box_height * height) / size
        corner = np.array([left, top])
        corners: Outline = np.stack([corner, corner + along, corner + along + down, corner + down]) / 100
        return corners


def _upright(box: tuple[float, float, float, float], width: int, height: int) -> dict[str, Any] | None:
    if not all(math.isfinite(side) for side in box):
        return None
    left, right = (min(max(x, 0.0), width) for x in (box[0], box[2]))
    top, bottom = (min(max(y, 0.0), height) for y in (box[1], box[3]))
    if right <= left or bottom <= top:
        return None
    return {
        "x": 100 * left / width,
        "y": 100 * top / height,
        "width": 100 * (right - left) / width,
        "height": 100 * (bottom - top) / height,
        "rotation": 0,
    }


def _turned(corners: NDArray[np.float64], width: int, height: int) -> dict[str, Any] | None:
    if not np.isfinite(corners).all():
        return None
    first, second, _, last = corners
    along, down = second - first, last - first
    if not np.hypot(*along) or not np.hypot(*down):
        return None
    if corners[:, 0].max() <= 0 or corners[:, 0].min() >= width:
        return None
    if corners[:, 1].max() <= 0 or corners[:, 1].min() >= height:
        return None
    return {
        "x": float(100 * first[0] / width),
        "y": float(100 * first[1] / height),
        "width": float(100 * np.hypot(*along) / width),
        "height": float(100 * np.hypot(*down) / height),
        "rotation": math.degrees(_angle(along, down)) % 360,
    }


def _angle(along: NDArray[np.float64], down: NDArray[np.float64]) -> float:
    # The longer side says it best: a rounding at the end of a short one would swing the other far.
    if np.hypot(*along) >= np.hypot(*down):
        return math.atan2(along[1], along[0])
    return math.atan2(-down[0], down[1])
