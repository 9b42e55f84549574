"""Small networks that find discs and squares, and what ultralytics itself finds with them."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lsb_backend.detection import Parameters
from lsb_backend.runtime.ultralytics_settings import ultralytics_environment
from lsb_backend.store.card import Card

Picture = NDArray[np.uint8]

CLASSES = ["disc", "square"]
PARAMETERS = Parameters(confidence=0.1, iou=0.6, image_size=256, max_detections=50)
TRAINED_SIZE = 128


def train(folder: Path, photographs: list[Picture]) -> dict[str, Path]:
    """Train, in `folder`, small networks by task that find discs and squares drawn on photographs."""
    ultralytics_environment()
    from ultralytics import YOLO

    rng = np.random.default_rng(1)
    for number in range(48):
        save_example(folder, number, cv2.resize(photographs[number % 3], (TRAINED_SIZE, TRAINED_SIZE)), rng)
    (folder / "data.yaml").write_text(f"path: {folder}\ntrain: images\nval: images\nnames: {CLASSES}\n")
    segmenter = YOLO(architecture(folder, "yolov8-seg.yaml"))
    segmenter.train(
        data=folder / "data.yaml",
        project=folder / "runs",
        name="train",
        device="cpu",
        imgsz=TRAINED_SIZE,
        epochs=25,
        batch=8,
        workers=0,
        val=False,
        plots=False,
        optimizer="AdamW",
        lr0=0.005,
        warmup_epochs=0,
        mosaic=0,
        amp=False,
        seed=0,
    )
    paths = {task: folder / task / "weights.pt" for task in ("detect", "segment")}
    for path in paths.values():
        path.parent.mkdir()
    shutil.copy(folder / "runs/train/weights/last.pt", paths["segment"])
    # The heads for boxes are the same in both, so the other network needs no training of its own.
    detector = YOLO(architecture(folder, "yolov8.yaml")).load(paths["segment"])
    detector.model.names = dict(enumerate(CLASSES))
    detector.save(paths["detect"])
    return paths


def architecture(folder: Path, name: str) -> Path:
    """An architecture of ultralytics at half the width of its smallest."""
    from ultralytics.utils import ROOT

    layers = (ROOT / "cfg/models/v8" / name).read_text().partition("backbone:")[2]
    path = folder / name
    path.write_text(f"nc: {len(CLASSES)}\ndepth_multiple: 0.33\nwidth_multiple: 0.125\nbackbone:{layers}")
    return path


def draw(picture: Picture, rng: np.random.Generator) -> list[str]:
    """Draw one to three shapes into the picture; returns their outlines as lines of a label file."""
    height, width = picture.shape[:2]
    lines = []
    for _ in range(rng.integers(1, 4)):
        radius = int(min(height, width) * rng.uniform(0.1, 0.2))
        x, y = int(rng.integers(radius, width - radius)), int(rng.integers(radius, height - radius))
        index = int(rng.integers(2))
        if index == 0:
            cv2.circle(picture, (x, y), radius, (0, 0, 255), -1)
            angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
            points = np.column_stack([x + radius * np.cos(angles), y + radius * np.sin(angles)])
        else:
            cv2.rectangle(picture, (x - radius, y - radius), (x + radius, y + radius), (255, 128, 0), -1)
            points = np.array([(x - radius, y - radius), (x + radius, y - radius), (x + radius, y + radius)])
            points = np.vstack([points, (x - radius, y + radius)])
        lines.append(f"{index} " + " ".join(f"{value:.6f}" for value in (points / (width, height)).ravel()))
    return lines


def save_example(folder: Path, number: int, picture: Picture, rng: np.random.Generator) -> None:
    """Write a picture with shapes in it, and its labels, as ultralytics reads them."""
    for name in ("images", "labels"):
        (folder / name).mkdir(exist_ok=True)
    lines = draw(picture, rng)
    cv2.imwrite(str(folder / "images" / f"{number}.png"), picture)
    (folder / "labels" / f"{number}.txt").write_text("\n".join(lines))


def mixed_sizes(photographs: list[Picture]) -> list[Picture]:
    """Two hundred pictures of mixed sizes, some of them very wide, some of the same size."""
    rng = np.random.default_rng(7)
    cut = []
    for number in range(200):
        picture = photographs[number % 3].copy()
        draw(picture, rng)
        if number >= 6:
            height, width = picture.shape[:2]
            top, left = int(rng.integers(height // 2)), int(rng.integers(width // 2))
            picture = np.ascontiguousarray(
                picture[top : top + height // 2, left : left + width // 2 + number]
            )
        cut.append(picture)
    return cut


def card(task: str, classes: list[str] | None = None) -> Card:
    """A card as the store would have it beside such a network."""
    return Card(
        task=task,
        classes=classes or CLASSES,
        trained=True,
        version="0-00000000",
        sequence=0,
        sha256="0" * 64,
        created_at=datetime.now(UTC),
    )


class Reference:
    """What ultralytics' own `predict` finds in each picture."""

    def __init__(self, path: Path, pictures: list[Picture]) -> None:
        from ultralytics import YOLO

        model = YOLO(path)
        self.results = [
            model.predict(
                picture,
                conf=PARAMETERS.confidence,
                iou=PARAMETERS.iou,
                imgsz=PARAMETERS.image_size,
                max_det=PARAMETERS.max_detections,
                verbose=False,
            )[0].cpu()
            for picture in pictures
        ]
