"""Fits pictures into what a network takes, as ultralytics does, so that exported models answer the same."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

STRIDE = 32
_GREY = 114


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where a picture lies inside the padded one. All sizes are (height, width) in pixels."""

    original: tuple[int, int]
    content: tuple[int, int]
    padded: tuple[int, int]
    top: int
    left: int

    @property
    def gain(self) -> tuple[float, float]:
        """Padded pixels per original pixel, (vertical, horizontal)."""
        return self.content[0] / self.original[0], self.content[1] / self.original[1]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture scaled and padded, of shape (*letterbox.padded, 3), still in BGR and bytes."""

    pixels: NDArray[np.uint8]
    letterbox: Letterbox

    @property
    def shape(self) -> tuple[int, ...]:
        """Pictures of one padded size can be in one batch."""
        return self.pixels.shape


def plan(height: int, width: int, image_size: int) -> Letterbox:
    """Scale the longer side to `image_size`, rounded up to the stride, and pad the other to the stride.

    Source: ultralytics.data.augment.LetterBox with `auto=True`, rounding included.
    """
    size = -(-image_size // STRIDE) * STRIDE
    ratio = min(size / height, size / width)
    content = max(round(height * ratio), 1), max(round(width * ratio), 1)
    vertical, horizontal = (size - content[0]) % STRIDE, (size - content[1]) % STRIDE
    return Letterbox(
        original=(height, width),
        content=content,
        padded=(content[0] + vertical, content[1] + horizontal),
        top=round(vertical / 2 - 0.1),
        left=round(horizontal / 2 - 0.1),
    )


def apply(image: NDArray[np.uint8], letterbox: Letterbox) -> NDArray[np.uint8]:
    """The scaled and padded picture, of shape (*padded, 3)."""
    height, width = letterbox.content
    if letterbox.original != letterbox.content:
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    padded = np.full((*letterbox.padded, 3), _GREY, dtype=np.uint8)
    padded[letterbox.top : letterbox.top + height, letterbox.left : letterbox.left + width] = image
    return padded


def prepare(image: NDArray[np.uint8], image_size: int) -> Prepared:
    """The picture as a network of `image_size` takes it."""
    letterbox = plan(image.shape[0], image.shape[1], image_size)
    return Prepared(apply(image, letterbox), letterbox)


def planes(batch: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A batch of shape (images, height, width, 3), BGR, as (images, 3, height, width), RGB in 0..1."""
    return np.asarray(cv2.dnn.blobFromImages(list(batch), 1 / 255, swapRB=True), dtype=np.float32)
