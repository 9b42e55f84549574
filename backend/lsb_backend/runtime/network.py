"""The computed part of a runtime: what differs between the libraries."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

GPU_BATCH = 8
# Pictures that a processor computes at a time, each with its share of the threads. Threads of one picture
# wait for the slowest of them after every layer: 100 ms of processor time a picture instead of 78 (yolov8n at
# 640, f32, two busy cores).
SIDE_BY_SIDE = 2


@dataclass(frozen=True, slots=True)
class Description:
    """What a model file says of itself; None where it says nothing."""

    names: tuple[str, ...] | None = None
    task: str | None = None


class Network(Protocol):
    """A loaded network. `workers` threads at a time may use it, best with `batch` pictures each."""

    device: str
    workers: int
    batch: int
    description: Description

    def forward(self, batch: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Raw outputs for a batch of shape (images, height, width, 3), BGR, sides multiples of 32.

        The first is of shape (images, 4 + classes + coefficients, anchors), or (images, objects,
        6 + coefficients) from a network that does without non-maximum suppression. The second, of a
        network for segmentation, is of shape (images, coefficients, height / 4, width / 4).
        """

    def close(self) -> None:
        """Free the network; `forward` may not be called afterwards."""


def describe(metadata: Mapping[str, str]) -> Description:
    """Read the metadata that ultralytics writes into an export: `names` is the text of a dict by index."""
    try:
        by_index = ast.literal_eval(metadata.get("names", "None"))
    except (ValueError, SyntaxError):
        by_index = None
    names = tuple(str(name) for _, name in sorted(by_index.items())) if isinstance(by_index, dict) else None
    return Description(names, metadata.get("task"))
