"""What a model finds in a picture, whatever runtime found it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Detection:
    """One object in one image, in pixels of the upright (EXIF applied) image.

    `box` is (left, top, right, bottom); `polygon` is its outline with shape (points, 2), for `segment` only.
    `score` lies in 0..1.
    """

    class_index: int
    score: float
    box: tuple[float, float, float, float]
    polygon: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Parameters:
    """How to run a model: score and overlap thresholds in 0..1, image size in pixels."""

    confidence: float = 0.25
    iou: float = 0.7
    image_size: int = 640
    max_detections: int = 300
