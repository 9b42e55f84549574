"""PolygonLabels: closed outlines."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lsb_backend.detection import Detection
from lsb_backend.labels.outline import Outline, RegionError, clip, has_area, number

# What an annotator can still drag point by point; only longer outlines (from masks) are thinned out.
POINTS_KEPT = 32
# How far, in parts of the object's diagonal, a thinned outline may run beside the found one.
TOLERANCE = 0.004


@dataclass(frozen=True, slots=True)
class PolygonLabels:
    """The outline of a detection (`model.task: segment`), or its box where it has none."""

    tag: str = "PolygonLabels"
    once: bool = False

    def value(self, detection: Detection, width: int, height: int) -> dict[str, Any] | None:
        """See Kind. Clipped to the image; outlines of many points are thinned out, never below three."""
        points = _corners(detection.box) if detection.polygon is None else detection.polygon
        if not np.isfinite(points).all() or len(points) < 3:
            return None
        outline = clip(simplify(points).astype(np.float64) / (width, height))
        if not has_area(outline):
            return None
        return {"points": (outline * 100).tolist(), "closed": True}

    def outline(self, value: Mapping[str, Any], width: int, height: int) -> Outline:
        """See Kind. The points as they were drawn."""
        points = value.get("points")
        if not isinstance(points, list | tuple):
            raise RegionError("its points are not a list")
        if len(points) < 3:
            raise RegionError(f"its polygon has {len(points)} points and needs three")
        return np.array([_point(point) for point in points], dtype=np.float64) / 100


def simplify(points: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Drop points (shape (points, 2), pixels) that a smooth outline does not need (Douglas and Peucker)."""
    if len(points) <= POINTS_KEPT:
        return points
    contour = np.ascontiguousarray(points, dtype=np.float32)
    diagonal = float(np.hypot(*(contour.max(axis=0) - contour.min(axis=0))))
    thinned: NDArray[np.floating[Any]] = cv2.approxPolyDP(contour, TOLERANCE * diagonal, True).reshape(-1, 2)
    return thinned if len(thinned) >= 3 else points


def _corners(box: tuple[float, float, float, float]) -> NDArray[np.float64]:
    left, top, right, bottom = box
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], dtype=np.float64)


def _point(point: object) -> tuple[float, float]:
    if not isinstance(point, list | tuple) or len(point) != 2:
        raise RegionError("a point of its polygon is not a pair of numbers")
    return number(point[0], "x"), number(point[1], "y")
