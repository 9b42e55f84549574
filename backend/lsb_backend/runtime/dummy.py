"""Finds the same thing in every picture: for trying a connection without a model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lsb_backend.detection import Detection, Parameters


@dataclass(frozen=True, slots=True)
class Size:
    """All that the dummy looks at: a picture's height, width and channels."""

    shape: tuple[int, ...]


class DummyRuntime:
    """One object of class 0 in the middle of each picture, half as wide and half as high."""

    device = "none"
    workers = 1
    batch = 16

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self.names = names

    def prepare(self, image: NDArray[np.uint8], parameters: Parameters) -> Size:
        """Note how large the picture is."""
        return Size(image.shape)

    def predict(self, prepared: Sequence[Size], parameters: Parameters) -> list[list[Detection]]:
        """The one detection of each picture, whatever the parameters."""
        return [[_centred(*size.shape[:2])] for size in prepared]

    def close(self) -> None:
        """Nothing to free."""


def _centred(height: int, width: int) -> Detection:
    left, top, right, bottom = width / 4, height / 4, width * 3 / 4, height * 3 / 4
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return Detection(0, 0.5, (left, top, right, bottom), np.array(corners, dtype=np.float32))
