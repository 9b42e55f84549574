"""What `lsb train` adds to ultralytics' own training of the same data with the same arguments.

Compared is the fitting, from the loading of the weights to ultralytics' evaluation of its best epoch, with
all that we put between its epochs. What comes before and after is a line of its own: it is other work.
"""

import contextlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.bed.bed import Bed
from benchmarks.bed.environment import plain
from benchmarks.bed.rounds import interleaved, say
from benchmarks.figures import Goal, Line
from benchmarks.spread import paired, spread
from label_studio import free_port
from serving import ServingProcess

_IMAGE_SIZE = 320
_AT_MOST = 1.03


def measure(bed: Bed) -> list[Line]:
    """Seconds of the same training by three programs."""
    sides = _Sides(bed)
    taken = interleaved(
        {
            "lsb train": sides.ours,
            "bare": lambda number: sides.bare("ours", number),
            "as shipped": lambda number: sides.bare("shipped", number),
        },
        bed.amount.training_rounds,
        warm_up=False,
    )
    ours, whole = taken["lsb train"], sides.whole
    epochs = bed.amount.epochs
    return [
        Line(
            key="training/fit",
            what=f"training, {epochs} epochs: the fitting of lsb train",
            unit="s",
            better="lower",
            figure=spread(ours),
            baseline=spread(taken["bare"]),
            baseline_name="YOLO.train, same data, arguments and threads",
            ratio=paired(ours, taken["bare"]),
            goals=(Goal(of="ratio", kind="at most", limit=_AT_MOST),),
            tolerance=0.03,
        ),
        Line(
            key="training/shipped",
            what="the same",
            unit="s",
            better="lower",
            figure=spread(ours),
            baseline=spread(taken["as shipped"]),
            baseline_name="YOLO.train as shipped, with the threads that ultralytics chooses",
            ratio=paired(ours, taken["as shipped"]),
        ),
        Line(
            key="training/whole",
            what="all of lsb train: imports, dataset, fitting, export, evaluation, store",
            unit="s",
            better="lower",
            figure=spread(whole),
            baseline=spread(ours),
            baseline_name="its fitting",
            ratio=paired(whole, ours),
        ),
    ]


class _Sides:
    """One training by each program; each gives seconds."""

    def __init__(self, bed: Bed) -> None:
        self._bed = bed
        self._folder = bed.folder / "training"
        studio = f"http://127.0.0.1:{free_port()}"
        self._backend = ServingProcess(self._folder, studio, "none", _spec(bed.amount.epochs))
        say("makes the data")
        settings = {"manifest": str(self._backend.manifest), "store": str(self._backend.store)}
        with bed.worker("training_data", **settings) as worker:
            self._given: dict[str, Any] = worker.ask(
                images=bed.amount.training_images, folder=str(self._folder)
            )
        self.whole: list[float] = []

    def ours(self, number: int) -> float:
        """`lsb train` on a run whose export is frozen, in a copy of the store."""
        store = self._folder / f"store-{number}"
        shutil.copytree(self._backend.store, store)
        run = store / "runs" / "after-0"
        run.mkdir(parents=True)
        shutil.copyfile(self._given["export"], run / "export.json")
        began = time.perf_counter()
        stages = _stages(self._backend.manifest, store, self._folder / f"train-{number}.log")
        self.whole.append(time.perf_counter() - began)
        shutil.rmtree(store)
        return stages["evaluate"] - stages["fit"]

    def bare(self, threads: str, number: int) -> float:
        """ultralytics alone, on a dataset of its own since it writes into it."""
        folder = self._folder / f"bare-{threads}-{number}"
        shutil.copytree(Path(self._given["data"]).parent, folder / "dataset")
        given = {"weights": self._given["weights"], "arguments": self._given["arguments"]}
        with self._bed.worker("bare_training", threads=threads, **given) as worker:
            data, output = str(folder / "dataset" / "data.yaml"), str(folder / "output")
            seconds = float(worker.ask(data=data, output=output)["seconds"])
        shutil.rmtree(folder)
        return seconds


def _stages(manifest: Path, store: Path, log: Path) -> dict[str, float]:
    """When each stage of `lsb train` began, in seconds of one clock."""
    command = ["train", "-f", str(manifest), "--store", str(store), "--run", "after-0"]
    stages = {}
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "lsb_cli", *command],
            env={**plain(), "LABEL_STUDIO_API_KEY": "none"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        ) as process,
    ):
        for line in process.stdout or ():
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if event.get("event") == "stage":
                    stages[str(event["phase"])] = time.perf_counter()
    if process.returncode or "evaluate" not in stages:
        raise SystemExit(
            f"lsb train ended with {process.returncode}: {log.read_text(errors='replace')[-2000:]}"
        )
    return stages


def _spec(epochs: int) -> dict[str, Any]:
    return {
        "labelStudio": {"projects": [1]},
        "model": {"task": "detect", "weights": "yolov8n.yaml", "imageSize": _IMAGE_SIZE},
        "training": {"epochs": epochs, "minimumAnnotations": 1, "triggers": {"annotations": 0}},
    }
