"""Tiny pictures that a nano model learns from scratch in seconds: one red or blue block on grey noise."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

SIZE = 96  # pixels
LABELS = ("red", "blue")
LABEL_CONFIG = """<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="label" toName="image"><Label value="red"/><Label value="blue"/></RectangleLabels>
</View>"""
# What makes some twenty epochs of two dozen pictures enough.
TRAINING: dict[str, Any] = {
    "optimizer": "AdamW",
    "lr0": 0.003,
    "warmup_epochs": 1,
    "batch": 4,
    "nbs": 4,
    "mosaic": 0.0,
    "scale": 0.2,
    "translate": 0.05,
    "workers": 0,
}


def write(folder: Path, numbers: range) -> list[Path]:
    """Write the pictures with these numbers, which decide all that is on them."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number}.png" for number in numbers]
    for number, path in zip(numbers, paths, strict=True):
        noise = np.random.default_rng(number).integers(90, 160, (SIZE, SIZE, 3), np.uint8)
        left, top, right, bottom = block(number)
        noise[top:bottom, left:right] = (0, 0, 255) if label(number) == "red" else (255, 0, 0)
        cv2.imwrite(str(path), noise)
    return paths


def label(number: int) -> str:
    """The label of a picture's block."""
    return LABELS[number % 2]


def block(number: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a picture's block, in pixels."""
    random = np.random.default_rng([number, 1])
    width, height = (int(side) for side in random.integers(30, 50, 2))
    left, top = int(random.integers(0, SIZE - width)), int(random.integers(0, SIZE - height))
    return left, top, left + width, top + height


def annotation(number: int) -> list[dict[str, Any]]:
    """What an annotator of the picture submits."""
    left, top, right, bottom = (edge * 100 / SIZE for edge in block(number))
    box = {"x": left, "y": top, "width": right - left, "height": bottom - top, "rotation": 0}
    return [
        {
            "id": f"{number:010d}",
            "from_name": "label",
            "to_name": "image",
            "type": "rectanglelabels",
            "original_width": SIZE,
            "original_height": SIZE,
            "image_rotation": 0,
            "value": {**box, "rectanglelabels": [label(number)]},
        }
    ]


def overlap(number: int, value: dict[str, Any]) -> float:
    """Intersection over union of a picture's block and the value of a rectangle region, in 0..1."""
    left, top, right, bottom = block(number)
    x, y, width, height = (value[name] * SIZE / 100 for name in ("x", "y", "width", "height"))
    shared = max(0.0, min(right, x + width) - max(left, x)) * max(0.0, min(bottom, y + height) - max(top, y))
    return float(shared / ((right - left) * (bottom - top) + width * height - shared))
