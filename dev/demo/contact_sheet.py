"""Pictures with the predicted boxes in them, for looking at what the figures mean."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from demo.pictures import CLASSES, Image, Picture
from demo.score import Predicted

_COLOURS = dict(zip(CLASSES, ((60, 200, 255), (80, 255, 80), (255, 160, 60)), strict=True))  # BGR
_TILE = 240  # edge of a picture on the sheet in pixels
_GAP = 6


def write_sheet(file: Path, pictures: Sequence[Picture], found: Sequence[Sequence[Predicted]]) -> None:
    """All pictures, five in a row."""
    tiles = [_tile(picture, boxes) for picture, boxes in zip(pictures, found, strict=True)]
    _write(file, [np.hstack(tiles[start : start + 5]) for start in range(0, len(tiles) // 5 * 5, 5)])


def write_comparison(
    file: Path, pictures: Sequence[Picture], rows: Sequence[tuple[str, Sequence[Sequence[Predicted]]]]
) -> None:
    """The same pictures once for each titled row, such as a version of the model."""
    strips = []
    for title, found in rows:
        strip = np.hstack([_tile(picture, boxes) for picture, boxes in zip(pictures, found, strict=True)])
        strips += [_heading(title, strip.shape[1]), strip]
    _write(file, strips)


def _tile(picture: Picture, boxes: Sequence[Predicted]) -> Image:
    image = cv2.resize(picture.image, (_TILE, _TILE), interpolation=cv2.INTER_AREA)
    scale = _TILE / len(picture.image)
    for found in boxes:
        left, top, right, bottom = (round(edge * scale) for edge in found.box)
        cv2.rectangle(image, (left, top), (right, bottom), _COLOURS[found.label], 2, cv2.LINE_AA)
        _write_text(image, f"{found.label} {found.score:.2f}", (left, max(top, 15)), _COLOURS[found.label])
    return np.asarray(
        cv2.copyMakeBorder(image, _GAP, 0, _GAP, 0, cv2.BORDER_CONSTANT, value=(255, 255, 255)), np.uint8
    )


def _write_text(image: Image, text: str, corner: tuple[int, int], colour: tuple[int, int, int]) -> None:
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.42, 1)
    left, bottom = min(corner[0], _TILE - width), corner[1]
    cv2.rectangle(image, (left - 1, bottom - height - 5), (left + width + 1, bottom), colour, -1)
    cv2.putText(image, text, (left, bottom - 3), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)


def _heading(title: str, width: int) -> Image:
    strip = np.full((30, width, 3), 255, np.uint8)
    cv2.putText(strip, title, (_GAP, 23), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (40, 40, 40), 1, cv2.LINE_AA)
    return strip


def _write(file: Path, strips: Sequence[Image]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    sheet = cv2.copyMakeBorder(
        np.vstack(strips), 0, _GAP, 0, _GAP, cv2.BORDER_CONSTANT, value=(255, 255, 255)
    )
    cv2.imwrite(str(file), sheet, [cv2.IMWRITE_PNG_COMPRESSION, 9])
