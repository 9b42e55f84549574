"""Pictures for people: how the training went, and the same images before and after it."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

SAMPLES = 4
_LONGEST_SIDE = 960
_FROM_FIT = ("results.png", "labels.jpg")
_FROM_EVALUATION = (
    "confusion_matrix.png",
    "confusion_matrix_normalized.png",
    "BoxPR_curve.png",
    "MaskPR_curve.png",
)


@dataclass(frozen=True, slots=True)
class Look:
    """How predictions are drawn: as they will be served."""

    confidence: float
    iou: float
    image_size: int


def collect(fitted: Path, evaluated: Path, destination: Path) -> None:
    """Copy the plots of ultralytics that are worth keeping."""
    _draw_results(fitted)
    for folder, names in ((fitted, _FROM_FIT), (evaluated, _FROM_EVALUATION)):
        for name in names:
            if (folder / name).exists():
                shutil.copyfile(folder / name, destination / name)


def draw_samples(
    weights: Path | None, images: Sequence[Path], look: Look, destination: Path, name: str
) -> None:
    """Draw what a model finds in `images` as `sample-<n>-<name>.jpg`; without a model the image as it is."""
    from ultralytics import YOLO

    model = YOLO(weights) if weights else None
    for number, path in enumerate(images, start=1):
        if model is None:
            picture = cv2.imread(str(path))
        else:
            found = model.predict(
                path, conf=look.confidence, iou=look.iou, imgsz=look.image_size, verbose=False, save=False
            )
            picture = found[0].plot()
        if picture is not None:
            cv2.imwrite(str(destination / f"sample-{number}-{name}.jpg"), _smaller(picture))


def _draw_results(fitted: Path) -> None:
    """The curves over all epochs; ultralytics draws them at the end, which a killed process never reached."""
    from ultralytics.utils.plotting import plot_results

    if (fitted / "results.csv").exists() and not (fitted / "results.png").exists():
        plot_results(file=fitted / "results.csv")


def _smaller(picture: cv2.typing.MatLike) -> cv2.typing.MatLike:
    height, width = picture.shape[:2]
    scale = _LONGEST_SIDE / max(height, width)
    if scale >= 1:
        return picture
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
