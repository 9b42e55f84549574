"""Makes a nano network that finds a handful of objects in photographs, without the hours of a training."""

import math
from typing import Any

import cv2
import numpy as np
import torch
from benchmarks.bed.bed import class_names
from benchmarks.bed.worker import answer
from ultralytics import YOLO
from ultralytics.data.augment import LetterBox

_CONFIDENCE = 0.25
# How many places of half the pictures pass the confidence when the whole picture is a square.
_CANDIDATES = 8
# Standard deviation that the logits get: those of random weights are all but equal, and rounding would
# decide how many pass.
_DEVIATION = 2.0


def make(question: dict[str, Any]) -> dict[str, float]:
    """Write the weights; the median number of detections in a picture."""
    torch.manual_seed(0)
    model = YOLO("yolov8n.yaml", task="detect")
    network: Any = model.model
    network.names = dict(enumerate(class_names()))
    batch = _batch(question["pictures"])
    _normalize(network, batch)
    _spread_scores(network, batch)
    model.save(question["output"])
    found = YOLO(question["output"]).predict(question["pictures"], conf=_CONFIDENCE, verbose=False)
    return {"median": float(np.median([len(one.boxes) for one in found]))}


def _normalize(network: Any, batch: torch.Tensor) -> None:
    """Make the running figures of batch normalization those of real pictures."""
    layers = [layer for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    before = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 1.0
    network.train()
    with torch.no_grad():
        network(batch)
    network.eval()
    for layer, momentum in zip(layers, before, strict=True):
        layer.momentum = momentum


def _spread_scores(network: Any, batch: torch.Tensor) -> None:
    heads = [branch[-1] for branch in network.model[-1].cv3]
    with torch.no_grad():
        for head in heads:
            head.bias.zero_()
        logits = _logits(network, batch)
        for head in heads:
            head.weight.mul_(_DEVIATION / logits.std())
        best = _logits(network, batch).amax(dim=1)
        passing = best.sort(dim=1, descending=True).values[:, _CANDIDATES].median()
        for head in heads:
            head.bias.fill_(math.log(_CONFIDENCE / (1 - _CONFIDENCE)) - float(passing))


def _logits(network: Any, batch: torch.Tensor) -> torch.Tensor:
    scores = network(batch)[0][:, 4:]
    return torch.logit(scores.clamp(1e-6, 1 - 1e-6))


def _batch(paths: list[str]) -> torch.Tensor:
    letterbox = LetterBox((640, 640), auto=False)
    images = np.stack([letterbox(image=cv2.imread(path))[..., ::-1] for path in paths])
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32)) / 255


if __name__ == "__main__":
    answer(make)
