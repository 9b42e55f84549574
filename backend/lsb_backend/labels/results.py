"""Detections of one image as the regions that Label Studio stores and shows."""

import math
import random
from collections.abc import Sequence
from typing import Any

from lsb_backend.detection import Detection
from lsb_backend.labels.config import Control
from lsb_backend.labels.kinds import kind_of
from lsb_backend.labels.matching import LabelMap, label_for, match


def image_regions(
    detections: Sequence[Detection],
    controls: Sequence[Control],
    class_names: Sequence[str],
    width: int,
    height: int,
) -> list[dict[str, Any]]:
    """The regions of one image (`width` x `height` pixels, upright) for all controls on it, at least one.

    Each control gets the detections that mean one of its labels. Only if the model knows no label of any
    of them does the first control get all detections: without a label, which Label Studio shows as grey
    regions that a click on a label names. A model without class names, the dummy, means the first label.
    """
    maps = [match(class_names, control.labels) for control in controls]
    if any(labels.by_class for labels in maps):
        pairs = zip(controls, maps, strict=True)
        return [
            region
            for control, labels in pairs
            for region in _control_regions(detections, control, labels, width, height, None)
        ]
    first = controls[0]
    foreign = () if class_names else (first.labels[0].name,)
    return _control_regions(detections, first, maps[0], width, height, foreign)


def regions(
    detections: Sequence[Detection],
    control: Control,
    class_names: Sequence[str],
    width: int,
    height: int,
) -> list[dict[str, Any]]:
    """`image_regions` for an image with one control."""
    return image_regions(detections, [control], class_names, width, height)


def score(regions: Sequence[dict[str, Any]]) -> float:
    """The mean score of an image's regions, 0.0 for none: low means uncertain."""
    return sum(region["score"] for region in regions) / len(regions) if regions else 0.0


def _control_regions(
    detections: Sequence[Detection],
    control: Control,
    labels: LabelMap,
    width: int,
    height: int,
    foreign: tuple[str, ...] | None,
) -> list[dict[str, Any]]:
    kind = kind_of(control.tag)
    found: list[dict[str, Any]] = []
    for detection in sorted(detections, key=_by_score):
        names = label_for(detection.class_index, labels, foreign)
        value = kind.value(detection, width, height)
        if names is None or value is None or not math.isfinite(detection.score):
            continue
        found.append(_region(control, value, names, detection.score, width, height))
        if kind.once:
            break
    return found


def _by_score(detection: Detection) -> float:
    return -detection.score


def _region(
    control: Control, value: dict[str, Any], names: Sequence[str], score: float, width: int, height: int
) -> dict[str, Any]:
    # Without the image's size Label Studio shows a region but cannot export it once it is accepted.
    return {
        # Unique, not secret: asking the system for each of thousands lets every other thread in between.
        "id": f"{random.getrandbits(40):010x}",
        "from_name": control.name,
        "to_name": control.to_name,
        "type": control.tag.lower(),
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "score": min(max(float(score), 0.0), 1.0),
        "value": {**value, control.tag.lower(): list(names)},
    }
