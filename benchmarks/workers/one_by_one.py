"""Predicts task by task with ultralytics as it comes, as label-studio-ml-backend's examples do.

Its own server around it is left out, which is to its advantage.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import requests
from benchmarks.bed.worker import answer, settings
from ultralytics import YOLO

_TIMEOUT = 60


def main() -> None:
    """Answer with the seconds that a list of addresses took."""
    given = settings()
    model = YOLO(given["weights"])
    with tempfile.TemporaryDirectory() as folder:
        answer(lambda question: _seconds(model, question["addresses"], Path(folder), given))


def _seconds(model: Any, addresses: list[str], folder: Path, given: dict[str, Any]) -> dict[str, Any]:
    began = time.perf_counter()
    predictions = [_task(model, address, folder / "picture.jpg", given) for address in addresses]
    return {
        "seconds": time.perf_counter() - began,
        "regions": sum(len(prediction["result"]) for prediction in predictions),
    }


def _task(model: Any, address: str, path: Path, given: dict[str, Any]) -> dict[str, Any]:
    fetched = requests.get(address, timeout=_TIMEOUT)
    fetched.raise_for_status()
    path.write_bytes(fetched.content)
    (found,) = model.predict(
        path,
        conf=given["confidence"],
        iou=given["iou"],
        imgsz=given["size"],
        max_det=given["maximum"],
        verbose=False,
    )
    height, width = found.orig_shape
    result = [
        _region(box, score, found.names[int(kind)], width, height)
        for box, score, kind in zip(
            found.boxes.xyxy.tolist(), found.boxes.conf.tolist(), found.boxes.cls.tolist(), strict=True
        )
    ]
    scores = found.boxes.conf.tolist()
    return {"result": result, "score": sum(scores) / len(scores) if scores else 0.0}


def _region(box: list[float], score: float, label: str, width: int, height: int) -> dict[str, Any]:
    left, top, right, bottom = box
    return {
        "from_name": "label",
        "to_name": "image",
        "type": "rectanglelabels",
        "original_width": width,
        "original_height": height,
        "score": score,
        "value": {
            "x": left / width * 100,
            "y": top / height * 100,
            "width": (right - left) / width * 100,
            "height": (bottom - top) / height * 100,
            "rotation": 0,
            "rectanglelabels": [label],
        },
    }


if __name__ == "__main__":
    main()
