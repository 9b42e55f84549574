"""Pictures by the size that a network takes them in."""

from collections.abc import Sequence
from typing import Any

STRIDE = 32


def padded(height: int, width: int, size: int) -> tuple[int, int]:
    """Height and width of the network's input for a picture: the longer side `size`, the other padded."""
    ratio = size / max(height, width)
    tall, wide = (-(-max(round(side * ratio), 1) // STRIDE) * STRIDE for side in (height, width))
    return tall, wide


def chunks(shapes: Sequence[tuple[int, int]], at_once: int) -> list[tuple[int, ...]]:
    """Indices of at most `at_once` pictures each, all of one shape."""
    by_shape: dict[tuple[int, int], list[int]] = {}
    for index, shape in enumerate(shapes):
        by_shape.setdefault(shape, []).append(index)
    return [
        tuple(indices[first : first + at_once])
        for indices in by_shape.values()
        for first in range(0, len(indices), at_once)
    ]


def grouped(images: Sequence[Any], size: int, at_once: int) -> list[tuple[int, ...]]:
    """Indices of at most `at_once` pictures each, all of one padded size."""
    return chunks([padded(image.shape[0], image.shape[1], size) for image in images], at_once)
