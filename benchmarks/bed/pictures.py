"""Photographs of many sizes, made from those that installed packages bring: nothing is downloaded."""

from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np
from demo.pictures import photographs
from numpy.typing import NDArray

Image = NDArray[np.uint8]

# Width and height in pixels of what cameras, phones and the web give; one in sixteen has 12 million.
SIZES = (
    *((640, 480), (1280, 720), (1920, 1080), (800, 600)),
    *((1920, 1080), (640, 480), (1024, 768), (1080, 1920)),
    *((1280, 720), (1920, 1080), (640, 480), (1280, 960)),
    *((1024, 768), (800, 600), (1920, 1080), (4000, 3000)),
)
QUALITY = 90


def write(folder: Path, count: int, sizes: tuple[tuple[int, int], ...] = SIZES) -> list[Path]:
    """Write `count` JPEG files, the same on every machine with the same packages."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, image in enumerate(images(count, sizes)):
        path = folder / f"{number:04d}.jpg"
        cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        paths.append(path)
    return paths


def images(count: int, sizes: tuple[tuple[int, int], ...] = SIZES) -> Iterator[Image]:
    """`count` BGR pictures: parts of the photographs, mirrored and lit differently."""
    originals = photographs()
    randoms = np.random.default_rng(0).spawn(count)
    for number, (size, random) in enumerate(zip(islice(cycle(sizes), count), randoms, strict=True)):
        yield _varied(originals[number % len(originals)], size, random)


def _varied(original: Image, size: tuple[int, int], random: np.random.Generator) -> Image:
    height, width = original.shape[:2]
    share = random.uniform(0.6, 1.0)
    part_width, part_height = int(width * share), int(height * share)
    left = int(random.integers(width - part_width + 1))
    top = int(random.integers(height - part_height + 1))
    part = original[top : top + part_height, left : left + part_width]
    if random.random() < 0.5:
        part = part[:, ::-1]
    lit = cv2.convertScaleAbs(np.ascontiguousarray(part), alpha=random.uniform(0.8, 1.2))
    return np.asarray(cv2.resize(lit, size, interpolation=cv2.INTER_CUBIC), np.uint8)
