"""A model is measured by what its classes mean, not by their numbers."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from lsb_backend.labels.config import Label
from lsb_backend.runtime.ultralytics_settings import ultralytics_environment
from lsb_backend.training.evaluate import Validation, evaluate

SIDE = 64
FRAME = 16
NAMES = ("blue", "red")
METRIC = "metrics/mAP50(B)"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights with two classes."""
    ultralytics_environment()
    import torch
    from ultralytics.nn.tasks import DetectionModel

    torch.manual_seed(1)
    network = DetectionModel("yolov8n.yaml", nc=2, verbose=False)
    network.names = dict(enumerate(NAMES))
    for branch in network.model[-1].cv3:
        # Above every threshold, and of another score in each place.
        branch[-1].bias.data.fill_(0.0)
        branch[-1].weight.data.normal_(0, 3000.0)
    for branch in network.model[-1].cv2:
        branch[-1].bias.data[1::16] = 9.0  # boxes two cells wide
    path = tmp_path_factory.mktemp("model") / "random.pt"
    torch.save({"model": network, "train_args": {}}, path)
    return path


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Callable[[Sequence[str]], Path]:
    """Datasets with classes in a given order; their labels are what the model finds, one of each class."""
    from ultralytics import YOLO

    network = YOLO(model)
    images = [
        np.random.default_rng(seed).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8) for seed in range(4)
    ]
    # The validator puts a grey frame of half a stride around an image, and only what it sees is found again.
    frame = [(FRAME, FRAME), (FRAME, FRAME), (0, 0)]
    framed = [np.pad(image, frame, constant_values=114) for image in images]
    found = [network.predict(image, imgsz=SIDE + 2 * FRAME, verbose=False)[0].boxes for image in framed]

    def make(order: Sequence[str]) -> Path:
        folder = tmp_path_factory.mktemp("dataset")
        for part in ("images/val", "labels/val"):
            (folder / part).mkdir(parents=True)
        for number, (image, boxes) in enumerate(zip(images, found, strict=True)):
            cv2.imwrite(str(folder / f"images/val/{number}.png"), image)
            (folder / f"labels/val/{number}.txt").write_text(_lines(boxes, order))
        (folder / "data.yaml").write_text(f"train: images/val\nval: images/val\nnames: {list(order)}\n")
        return folder / "data.yaml"

    return make


def _lines(boxes: Any, order: Sequence[str]) -> str:
    """Label lines of the best box of each class that lies inside the image."""
    best: dict[str, str] = {}
    for predicted, (x, y, width, height) in zip(boxes.cls.tolist(), boxes.xywh.tolist(), strict=True):
        x, y = x - FRAME, y - FRAME
        inside = width / 2 <= min(x, SIDE - x) and height / 2 <= min(y, SIDE - y)
        if inside and NAMES[int(predicted)] in order:
            shape = " ".join(str(value / SIDE) for value in (x, y, width, height))
            best.setdefault(NAMES[int(predicted)], f"{order.index(NAMES[int(predicted)])} {shape}\n")
    return "".join(best.values())


def _figure(model: Path, names: Sequence[str], data: Path, labels: Sequence[Label], output: Path) -> float:
    return evaluate(model, names, Validation(data, "detect", labels, SIDE), output)[METRIC]


def test_a_mere_reordering_of_the_labels_keeps_the_figure(model: Path, dataset: Any, tmp_path: Path) -> None:
    labels = [Label("blue"), Label("red")]
    straight = _figure(model, NAMES, dataset(["blue", "red"]), labels, tmp_path)
    turned = _figure(model, NAMES, dataset(["red", "blue"]), labels[::-1], tmp_path)
    assert straight > 0
    assert turned == pytest.approx(straight)


def test_base_weights_are_measured_by_predicted_values(model: Path, dataset: Any, tmp_path: Path) -> None:
    own = [Label("himmel", ("blue",)), Label("rot", ("RED",))]
    straight = _figure(model, NAMES, dataset(["blue", "red"]), [Label("blue"), Label("red")], tmp_path)
    assert _figure(model, NAMES, dataset(["blue", "red"]), own, tmp_path) == pytest.approx(straight)


def test_a_class_that_is_no_label_counts_for_nothing_and_breaks_nothing(
    model: Path, dataset: Any, tmp_path: Path
) -> None:
    # Class 1 of the model would be beyond the dataset's list of one.
    assert _figure(model, NAMES, dataset(["blue"]), [Label("blue")], tmp_path) > 0
    assert _figure(model, ("a", "b"), dataset(["blue"]), [Label("blue")], tmp_path) == 0
