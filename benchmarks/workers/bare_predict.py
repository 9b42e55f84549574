"""`YOLO.predict` on decoded pictures, with the best number of threads and of pictures at once."""

import time
from typing import Any

import cv2
import torch
from benchmarks.bed.bed import cores
from benchmarks.bed.worker import answer, settings
from benchmarks.workers.shapes_of import grouped
from ultralytics import YOLO

_AT_ONCE = (1, 8)


class Bare:
    """The model and the decoded pictures."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._given = given
        self._model = YOLO(given["weights"])
        self._images = [cv2.imread(path) for path in given["pictures"]]

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """`search` tries the ways there are, anything else takes the way named in it."""
        if "search" not in question:
            return {"seconds": self._seconds(question["threads"], question["at_once"])}
        ways = [(threads, at_once) for threads in range(1, cores() + 1) for at_once in _AT_ONCE]
        self._seconds(*ways[0])
        found = [
            {"threads": threads, "at_once": at_once, "seconds": self._seconds(threads, at_once)}
            for threads, at_once in ways
        ]
        return {"tried": found, "best": min(found, key=lambda one: one["seconds"])}

    def _seconds(self, threads: int, at_once: int) -> float:
        # ultralytics sets its own number at the first call, so ours comes after it.
        torch.set_num_threads(threads)
        began = time.perf_counter()
        for group in grouped(self._images, self._given["size"], at_once):
            self._model.predict(
                [self._images[index] for index in group],
                conf=self._given["confidence"],
                iou=self._given["iou"],
                imgsz=self._given["size"],
                max_det=self._given["maximum"],
                verbose=False,
            )
        return time.perf_counter() - began


if __name__ == "__main__":
    answer(Bare(settings()).answer)
