"""How good the predictions are that Label Studio holds, measured against what was really drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demo.pictures import CLASSES, SIZE, Picture
from lsb_backend.runtime.ultralytics_settings import ultralytics_environment

Boxes = NDArray[np.float64]
_THRESHOLDS = np.linspace(0.5, 0.95, 10)  # of the overlap, as in COCO


@dataclass(frozen=True, slots=True)
class Predicted:
    """One predicted box: (left, top, right, bottom) in pixels, score in 0..1."""

    label: str
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Figures:
    """Mean average precision in 0..1, at an overlap of 0.5 and over 0.5 to 0.95."""

    map50: float
    map50_95: float


def predicted(predictions: Sequence[Mapping[str, Any]], version: str) -> list[Predicted]:
    """The boxes of `version` among the stored predictions of a task; the newest if there are several."""
    own = [prediction for prediction in predictions if prediction["model_version"] == version]
    newest = max(own, key=lambda prediction: int(prediction["id"]), default=None)
    return [_region(region) for region in newest["result"]] if newest else []


def figures(pictures: Sequence[Picture], found: Sequence[Sequence[Predicted]]) -> Figures:
    """Judge the boxes found in each picture."""
    every = [box for boxes in found for box in boxes]
    if not every:
        return Figures(0.0, 0.0)
    # Takes seconds, and is not needed before the end; left alone it would write into the person's own folder.
    ultralytics_environment()
    from ultralytics.utils.metrics import ap_per_class

    hits = np.concatenate([_hits(picture, boxes) for picture, boxes in zip(pictures, found, strict=True)])
    precision = ap_per_class(
        hits,
        np.array([box.score for box in every]),
        np.array([CLASSES.index(box.label) for box in every]),
        np.array([CLASSES.index(thing.label) for picture in pictures for thing in picture.things]),
    )[5]
    return Figures(float(precision[:, 0].mean()), float(precision.mean()))


def _region(region: Mapping[str, Any]) -> Predicted:
    value, scale = region["value"], SIZE / 100
    left, top = value["x"] * scale, value["y"] * scale
    box = (left, top, left + value["width"] * scale, top + value["height"] * scale)
    return Predicted(value["rectanglelabels"][0], float(region["score"]), box)


def _hits(picture: Picture, boxes: Sequence[Predicted]) -> NDArray[np.bool_]:
    """Which box is right at which overlap, shape (boxes, 10); only the best scored box finds a thing."""
    hits = np.zeros((len(boxes), len(_THRESHOLDS)), bool)
    if not (boxes and picture.things):
        return hits
    overlaps = _overlaps(
        np.array([box.box for box in boxes]), np.array([thing.box for thing in picture.things])
    )
    labels = np.array([[box.label == thing.label for thing in picture.things] for box in boxes])
    for column, threshold in enumerate(_THRESHOLDS):
        free = np.ones(len(picture.things), bool)
        for row in sorted(range(len(boxes)), key=lambda row: -boxes[row].score):
            candidates = np.where(free & labels[row], overlaps[row], 0)
            best = int(candidates.argmax())
            if candidates[best] >= threshold:
                free[best], hits[row, column] = False, True
    return hits


def _overlaps(first: Boxes, second: Boxes) -> Boxes:
    """Intersection over union of boxes of shapes (n, 4) and (m, 4); shape (n, m)."""
    corner = np.maximum(first[:, None, :2], second[None, :, :2])
    opposite = np.minimum(first[:, None, 2:], second[None, :, 2:])
    common = (opposite - corner).clip(0).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (first, second)]
    return np.asarray(common / (areas[0][:, None] + areas[1][None, :] - common))
