"""Pictures with something to learn in them, since a demonstration may not depend on a download."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

CLASSES = ("ball", "box", "star")
SIZE = 384  # edge of a picture in pixels

Image = NDArray[np.uint8]
Points = NDArray[np.float32]

_PHOTOGRAPHS = (
    ("ultralytics", "assets/bus.jpg"),
    ("ultralytics", "assets/zidane.jpg"),
    ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
)
_LEAST_VISIBLE = 0.6  # of an object's area, so that an annotator could still name it


@dataclass(frozen=True, slots=True)
class Thing:
    """One drawn object; `box` is (left, top, right, bottom) in pixels around what can be seen of it."""

    label: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of shape (SIZE, SIZE, 3), BGR, and everything that is in it."""

    name: str
    image: Image
    things: tuple[Thing, ...]

    def jpeg(self) -> bytes:
        """The picture as a JPEG file."""
        return cv2.imencode(".jpg", self.image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def generate(count: int, seed: int = 0) -> list[Picture]:
    """The same `count` pictures for the same seed, on every machine with the same packages.

    Only its outline tells the class of an object: colour, pattern, size, rotation and light are random.
    """
    backgrounds = photographs()
    randoms = np.random.default_rng(seed).spawn(count)
    return [_picture(f"{index:03d}.jpg", backgrounds, random) for index, random in enumerate(randoms)]


def photographs() -> list[Image]:
    """Photographs that installed packages bring, BGR. Raises FileNotFoundError if one is missing."""
    return [_photograph(package, path) for package, path in _PHOTOGRAPHS]


def _photograph(package: str, path: str) -> Image:
    spec = find_spec(package)  # found, not imported: importing ultralytics takes seconds
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"the package {package} is not installed: run `make setup`")
    file = Path(spec.origin).parent / path
    image = cv2.imread(str(file))
    if image is None:
        raise FileNotFoundError(f"{file} is missing: reinstall the package {package}")
    return np.asarray(image, np.uint8)


def _picture(name: str, backgrounds: list[Image], random: np.random.Generator) -> Picture:
    canvas = _background(backgrounds, random).astype(np.float32)
    owner = np.full((SIZE, SIZE), -1, np.int16)  # which object each pixel shows
    areas: list[int] = []
    labels: list[str] = []
    for _ in range(int(random.integers(3, 7))):
        label = CLASSES[random.integers(len(CLASSES))]
        coverage = _coverage(_OUTLINES[label](random), random)
        inside = coverage > 0.5
        shown = np.where(inside, np.int16(len(labels)), owner)
        if not _all_visible(shown, [*areas, int(inside.sum())]):
            continue
        owner = shown
        areas.append(int(inside.sum()))
        labels.append(label)
        canvas += coverage[..., None] * (_surface(_bounds(inside), random) - canvas)
    things = tuple(Thing(label, _bounds(owner == index)) for index, label in enumerate(labels))
    return Picture(name, _camera(canvas, random), things)


def _background(backgrounds: list[Image], random: np.random.Generator) -> Image:
    photograph = backgrounds[random.integers(len(backgrounds))]
    height, width = photograph.shape[:2]
    edge = int(min(height, width) * random.uniform(0.35, 0.9))
    top, left = random.integers(height - edge + 1), random.integers(width - edge + 1)
    crop = cv2.resize(
        photograph[top : top + edge, left : left + edge], (SIZE, SIZE), interpolation=cv2.INTER_AREA
    )
    return np.asarray(crop[:, ::-1] if random.random() < 0.5 else crop, np.uint8)


def _ball(random: np.random.Generator) -> Points:
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles) * random.uniform(0.85, 1)], axis=1).astype(np.float32)


def _box(random: np.random.Generator) -> Points:
    half = random.uniform(0.6, 1)
    return np.array([(-1, -half), (1, -half), (1, half), (-1, half)], np.float32)


def _star(random: np.random.Generator) -> Points:
    angles = np.arange(10) * np.pi / 5
    radii = np.where(np.arange(10) % 2, random.uniform(0.4, 0.55), 1.2)
    return np.stack([np.cos(angles) * radii, np.sin(angles) * radii], axis=1).astype(np.float32)


_OUTLINES: dict[str, Callable[[np.random.Generator], Points]] = {"ball": _ball, "box": _box, "star": _star}


def _coverage(outline: Points, random: np.random.Generator) -> NDArray[np.float32]:
    """How much of each pixel (0..1) lies inside the outline, which is put anywhere, even across the edge."""
    angle, radius = random.uniform(0, 2 * np.pi), SIZE * random.uniform(0.08, 0.2)
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    points = outline @ turn * radius + random.uniform(0.1, 0.9, 2) * SIZE
    mask = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillPoly(mask, [(points * 16).round().astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    return np.asarray(mask / np.float32(255), np.float32)


def _all_visible(owner: NDArray[np.int16], areas: list[int]) -> bool:
    seen = np.bincount(owner[owner >= 0], minlength=len(areas))
    return min(areas) >= 300 and all(
        part >= _LEAST_VISIBLE * area for part, area in zip(seen, areas, strict=True)
    )


def _surface(box: tuple[float, float, float, float], random: np.random.Generator) -> NDArray[np.float32]:
    """Two random colours in a random pattern, lit from a random side of the box; shape (SIZE, SIZE, 3)."""
    angle, period = random.uniform(0, 2 * np.pi), random.uniform(10, 30)
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    scale = np.float32(2 * np.pi / period)
    along = np.sin((columns * cosine + rows * sine) * scale)
    across = np.sin((rows * cosine - columns * sine) * scale)
    patterns = (np.zeros_like(along), along, along * across, along + across - np.float32(0.8))
    pattern = patterns[random.integers(len(patterns))]
    colours = np.where(pattern[..., None] > 0, _colour(random), _colour(random))
    left, top, right, bottom = box
    light = cosine * (columns - (left + right) / 2) / (right - left)
    light += sine * (rows - (top + bottom) / 2) / (bottom - top)
    return np.asarray(colours * (1 + np.float32(random.uniform(0.2, 0.7)) * light[..., None]), np.float32)


def _colour(random: np.random.Generator) -> NDArray[np.float32]:
    hsv = np.array([[[random.integers(180), random.integers(90, 256), random.integers(90, 256)]]], np.uint8)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0], np.float32)


def _bounds(mask: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return float(left), float(top), float(left + width), float(top + height)


def _camera(canvas: NDArray[np.float32], random: np.random.Generator) -> Image:
    """A little out of focus, too dark or too bright, and noisy."""
    blurred = cv2.GaussianBlur(canvas, (0, 0), random.uniform(0.3, 1.2))
    noise = random.standard_normal(canvas.shape, np.float32) * np.float32(random.uniform(2, 12))
    exposed = blurred * np.float32(random.uniform(0.7, 1.25)) + noise
    return np.asarray(exposed.clip(0, 255), np.uint8)
