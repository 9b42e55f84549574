"""The shape that all drawn regions share on their way into training: corners in fractions of the image."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsb_crds.errors import UserError

Outline = NDArray[np.float64]
"""Corner points, shape (points, 2), x and y in fractions of the image's width and height."""

# Far beyond any image; whatever is larger is an accident, and squaring it would overflow.
MAXIMUM_PERCENT = 1e6
MINIMUM_THICKNESS = 1e-6


class RegionError(UserError):
    """A region that nothing can be learned from; the message says why and fits after the region's name."""


def percent(value: Mapping[str, Any], key: str) -> float:
    """A coordinate of a region's value. Raises RegionError unless it is a finite number of sane size."""
    return number(value.get(key), key)


def number(found: object, name: str) -> float:
    """`found` as a finite float of sane size; RegionError otherwise."""
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise RegionError(f"{name} is not a number")
    # NaN fails this comparison as infinity does.
    if not abs(found) <= MAXIMUM_PERCENT:
        raise RegionError(f"{name} is not a finite number within {MAXIMUM_PERCENT:.0f} percent")
    return float(found)


def has_area(outline: Outline) -> bool:
    """True unless the points (fractions) all lie on one line or one point."""
    if len(outline) < 3:
        return False
    spread = np.linalg.svd(outline - outline.mean(axis=0), compute_uv=False)
    return bool(spread[1] > MINIMUM_THICKNESS)


def clip(outline: Outline) -> Outline:
    """The part of a polygon (fractions) inside the image; shape (0, 2) if there is none.

    A polygon that is wholly inside comes back unchanged, point for point (Sutherland and Hodgman, 1974).
    """
    for axis in (0, 1):
        outline = _cut(outline, axis, limit=0.0, sign=1.0)
        outline = _cut(outline, axis, limit=1.0, sign=-1.0)
    # A cut is computed and may miss the border by one rounding.
    return np.clip(outline, 0.0, 1.0)


def _cut(outline: Outline, axis: int, limit: float, sign: float) -> Outline:
    """Keep what lies on the inner side of one border: where sign * (coordinate - limit) >= 0."""
    distance = sign * (outline[:, axis] - limit)
    kept: list[NDArray[np.float64]] = []
    for index in range(len(outline)):
        before, here = distance[index - 1], distance[index]
        if (before < 0) != (here < 0):
            share = before / (before - here)
            kept.append(outline[index - 1] + share * (outline[index] - outline[index - 1]))
        if here >= 0:
            kept.append(outline[index])
    return np.array(kept, dtype=np.float64).reshape(-1, 2)
