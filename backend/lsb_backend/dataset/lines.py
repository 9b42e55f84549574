"""Annotations as YOLO label lines: a class index, then coordinates in fractions of the image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from lsb_backend.dataset.annotations import regions
from lsb_backend.labels.config import Control
from lsb_backend.labels.kinds import kind_of
from lsb_backend.labels.outline import Outline, RegionError, clip, has_area

MAXIMUM_SIDE = 1_000_000


class NotLearnedError(RegionError):
    """A sound region of which nothing is to be learned, so that the image is good without it."""


@dataclass(frozen=True, slots=True)
class LabelLines:
    """The lines of one image, why regions were left out, and whether objects are missing because of it."""

    lines: tuple[str, ...]
    left_out: tuple[str, ...]
    damaged: bool


def label_lines(
    annotation: Mapping[str, Any],
    controls: Sequence[Control],
    classes: Sequence[str],
    task: str,
    width: int,
    height: int,
) -> LabelLines:
    """The lines for what was drawn with `controls`, for a model of `task` (detect, segment or obb).

    `width` and `height` are those of the upright image in pixels. Everything is clipped to the image. A
    region with several labels is learned as the first of them that is a class.
    """
    by_name = {control.name: control for control in controls}
    index = {name.casefold(): number for number, name in enumerate(classes)}
    lines: list[str] = []
    left_out: list[str] = []
    damaged = False
    for region in regions(annotation):
        try:
            control = _control(region, by_name)
            number = _class_index(region, control, index)
            outline = _outline(region, control, width, height)
            lines.append(format_line(number, _coordinates(outline, task, width, height)))
        except RegionError as error:
            left_out.append(str(error))
            damaged = damaged or not isinstance(error, NotLearnedError)
    return LabelLines(tuple(lines), tuple(left_out), damaged)


def format_line(class_index: int, coordinates: Sequence[float]) -> str:
    """One line. Eight decimals are a ten-thousandth of a pixel in an image 20,000 pixels wide."""
    return " ".join([str(class_index), *(f"{coordinate:.8f}" for coordinate in coordinates)])


def _control(region: Mapping[str, Any], controls: Mapping[str, Control]) -> Control:
    control = controls.get(str(region["from_name"]))
    if control is None:
        raise NotLearnedError(f"made with another control ({region['from_name']})")
    return control


def _class_index(region: Mapping[str, Any], control: Control, index: Mapping[str, int]) -> int:
    value = region.get("value")
    names = value.get(control.tag.lower()) if isinstance(value, dict) else None
    if region.get("type") != control.tag.lower() or not isinstance(names, list) or not names:
        raise RegionError("has no label")
    for name in names:
        if str(name).casefold() in index:
            return index[str(name).casefold()]
    raise NotLearnedError(f"its label {str(names[0])!r} is no longer in the label config")


def _outline(region: Mapping[str, Any], control: Control, width: int, height: int) -> Outline:
    if region.get("image_rotation"):
        raise RegionError(f"drawn while the image was turned by {region['image_rotation']} degrees")
    drawn_on = (region.get("original_width"), region.get("original_height"))
    # Annotations made from predictions or imports may lack the size; the image itself has it.
    if all(isinstance(side, int) and 0 < side <= MAXIMUM_SIDE for side in drawn_on):
        width, height = drawn_on  # type: ignore[assignment]
    return kind_of(control.tag).outline(region["value"], width, height)


def _coordinates(outline: Outline, task: str, width: int, height: int) -> list[float]:
    visible = clip(outline)
    if not len(visible):
        raise RegionError("lies outside the image")
    shape = _turned_box(outline, visible, width, height) if task == "obb" else visible
    if not has_area(shape):
        raise RegionError("has no area")
    if task == "detect":
        (left, top), (right, bottom) = visible.min(axis=0), visible.max(axis=0)
        return [float(x) for x in ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)]
    return [float(coordinate) for coordinate in shape.ravel()]


def _turned_box(outline: Outline, visible: Outline, width: int, height: int) -> Outline:
    """Four corners inside the image: those that were drawn, else of the least box around what is visible."""
    if len(outline) == 4 and np.array_equal(outline, visible):
        return outline
    size = np.array([width, height], dtype=np.float64)
    box = cv2.boxPoints(cv2.minAreaRect((visible * size).astype(np.float32)))
    corners: Outline = np.clip(box.astype(np.float64) / size, 0.0, 1.0)
    return corners
