"""An image as the trainer must see it: upright, three channels of eight bits, as the annotator saw it."""

import io
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lsb_backend.media.decode import decode
from lsb_backend.media.limits import Limits
from lsb_crds.errors import UserError

# ultralytics passes over smaller ones without a word.
MINIMUM_SIDE = 10
JPEG_QUALITY = 95
_JPEG, _PNG = ".jpg", ".png"
_JPEG_START, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
_ORIENTATION, _UPRIGHT = 0x0112, 1  # of EXIF


class UnfitImageError(UserError):
    """An image that can be read and yet not be learned from."""


@dataclass(frozen=True)
class Picture:
    """An image file for training; `extension` has its dot, `width` and `height` are pixels."""

    data: bytes
    extension: str
    width: int
    height: int

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return sha256(self.data).hexdigest()

    def put(self, path: Path) -> None:
        """Write the file. Raises OSError."""
        path.write_bytes(self.data)


def picture(data: bytes, limits: Limits) -> Picture:
    """The file itself if every reader agrees on it, else what was decoded, written anew.

    Raises UserError for what is no image, too large, or too small to be trained on.
    """
    size = _plain_jpeg(data, limits)
    if size is not None:
        _require_large_enough(*size)
        return Picture(data, _JPEG, *size)
    pixels = decode(data, limits)
    height, width = pixels.shape[:2]
    _require_large_enough(width, height)
    extension = _extension(data)
    if extension is None or not _plain(data, pixels):
        # A photograph turned by its EXIF data would be five times its size as PNG.
        extension = extension or _PNG
        data = _encode(pixels, extension)
    return Picture(data, extension, width, height)


def _require_large_enough(width: int, height: int) -> None:
    if min(width, height) < MINIMUM_SIDE:
        raise UnfitImageError(
            f"the image has {width} x {height} pixels; a side needs at least {MINIMUM_SIDE} for training"
        )


def _plain_jpeg(data: bytes, limits: Limits) -> tuple[int, int] | None:
    """Width and height of a JPEG file that every reader can only take as it is; None for any other.

    Three bytes a pixel, nothing to turn, and an end where the file ends. It is read to its end at an eighth
    of its size, which takes a fifth of the time and fails where reading the whole would.
    """
    if not (data.startswith(_JPEG_START) and data.endswith(_JPEG_END)):
        return None
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as header:
            plain = header.mode == "RGB" and header.getexif().get(_ORIENTATION, _UPRIGHT) == _UPRIGHT
            size = header.size
    except Exception:  # as in decoding: parsers raise whatever a broken header makes them stumble over
        return None
    if not plain or size[0] * size[1] > limits.pixels:
        return None
    small = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
    return None if small is None else size


def _extension(data: bytes) -> str | None:
    if data.startswith(_JPEG_START):
        return _JPEG
    return _PNG if data.startswith(b"\x89PNG\r\n\x1a\n") else None


def _plain(data: bytes, pixels: NDArray[np.uint8]) -> bool:
    """True if the stored pixels, with nothing applied to them, are the decoded ones."""
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return stored is not None and stored.dtype == np.uint8 and np.array_equal(stored, pixels)


def _encode(pixels: NDArray[np.uint8], extension: str) -> bytes:
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if extension == _JPEG else []
    _, encoded = cv2.imencode(extension, pixels, options)
    return bytes(encoded)
