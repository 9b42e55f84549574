"""What every runtime offers: pictures in, detections out."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lsb_backend.detection import Detection, Parameters


class Prepared(Protocol):
    """A picture as its runtime wants it, small: the decoded one is not needed any more."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Equal for pictures that one batch can hold."""


class Runtime(Protocol):
    """A loaded model.

    `workers` threads at a time may call `predict`, each with up to `batch` pictures: what this runtime
    computes quickest on this device.
    """

    names: tuple[str, ...]
    device: str
    workers: int
    batch: int

    def prepare(self, image: NDArray[np.uint8], parameters: Parameters) -> Prepared:
        """Fit an upright BGR picture of shape (height, width, 3) to the model; any thread may call it."""

    def predict(self, prepared: Sequence[Any], parameters: Parameters) -> list[list[Detection]]:
        """Detections of each picture that `prepare` gave, best first, in the pixels of the original."""

    def close(self) -> None:
        """Free the model; `predict` may not be called afterwards."""
