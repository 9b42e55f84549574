"""`YOLO.train` alone, in a process of its own: with our processes' threads, or as ultralytics comes."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

import matplotlib
from benchmarks.bed.worker import answer, settings

from lsb_backend.runtime.threads import cpu_quota
from lsb_backend.runtime.ultralytics_settings import ultralytics_environment


def train(question: dict[str, Any]) -> dict[str, float]:
    """Train once; the seconds from the loading of the weights to the last of ultralytics' own evaluation."""
    given = settings()
    if given["threads"] == "ours":
        ultralytics_environment()
    else:
        _provide_fonts()
    import torch
    from ultralytics import YOLO

    began = time.perf_counter()
    model = YOLO(given["weights"], task="detect")
    if given["threads"] == "ours":
        model.add_callback("on_train_start", lambda _: torch.set_num_threads(cpu_quota()))
    model.train(**given["arguments"], data=question["data"], save_dir=question["output"], plots=True)
    return {"seconds": time.perf_counter() - began}


def _provide_fonts() -> None:
    """Put a font where ultralytics looks before it waits for a download."""
    font = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    folder = Path(os.environ["YOLO_CONFIG_DIR"]) / "Ultralytics"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("Arial.ttf", "Arial.Unicode.ttf"):
        shutil.copyfile(font, folder / name)


if __name__ == "__main__":
    answer(train)
