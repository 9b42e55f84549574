"""A backend small enough to be trained for real in seconds, with its pictures inside its tasks."""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from lsb_backend.dataset.manifest import Export, ProjectExport
from lsb_backend.store.store import Store
from lsb_backend.training.prepare import prepare
from lsb_backend.training.result import Result
from lsb_backend.training.run import train
from lsb_crds.backend import LabelStudioBackend

SIDE = 64
# Nobody listens there: a run whose export is frozen needs no Label Studio.
NOWHERE = "http://127.0.0.1:9"
TOKEN = "0" * 40


@dataclass
class Recorder:
    """Remembers what the training program reports."""

    stages: list[str] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def stage(self, name: str, message: str) -> None:
        self.stages.append(name)

    def epoch(self, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        self.epochs.append(epoch)

    def note(self, message: str) -> None:
        self.notes.append(message)


@dataclass
class Bench:
    """A store, and the training program on it: in this process, or in one of its own."""

    folder: Path
    store: Store
    report: Recorder = field(default_factory=Recorder)

    def run(self, number: int = 0) -> Path:
        """The folder of a run."""
        return self.store.runs / f"after-{number}"

    def backend(
        self, task: str = "detect", weights: str | None = None, **training: Any
    ) -> LabelStudioBackend:
        """A backend that trains at 64 pixels."""
        return LabelStudioBackend.model_validate(manifest(task, weights, training))

    def freeze(self, labels: Sequence[str], tasks: Sequence[dict[str, Any]], number: int = 0) -> None:
        """Begin a run whose export is frozen already; `name=class` is a label with predicted values."""
        freeze(self.run(number), labels, tasks)

    def train(self, backend: LabelStudioBackend, number: int = 0) -> Result:
        """The training program in this process."""
        self.report = Recorder()
        return train(backend, self.store, NOWHERE, TOKEN, self.run(number), self.report)

    def start(self, backend: Mapping[str, Any]) -> "Program":
        """The training program in a process of its own, in an empty working directory."""
        file = self.folder / "backend.yaml"
        file.write_text(json.dumps(backend))
        directory = self.folder / "cwd"
        directory.mkdir(exist_ok=True)
        return Program(
            subprocess.Popen(
                [sys.executable, "-m", "lsb_cli", "train", "-f", file, "--store", self.store.root],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=directory,
                env={**os.environ, "LABEL_STUDIO_API_KEY": TOKEN, "HOME": str(self.folder / "home")},
            )
        )


@dataclass
class Program:
    """A running `lsb train` and what it has said so far."""

    process: subprocess.Popen[str]
    events: list[dict[str, Any]] = field(default_factory=list)

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> bool:
        """Read events until one is wanted; False if the program ended before."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.append(json.loads(line))
            if wanted(self.events[-1]):
                return True
        return False

    def end(self, by: signal.Signals | None = None) -> tuple[int, str]:
        """Wait for the end, after a signal if one is given; the exit code and stderr."""
        if by is not None:
            self.process.send_signal(by)
        rest, errors = self.process.communicate()
        self.events += [json.loads(line) for line in rest.splitlines()]
        return self.process.returncode, errors

    @property
    def epochs(self) -> list[int]:
        return [event["epoch"] for event in self.events if event["event"] == "epoch"]


def manifest(task: str, weights: str | None, training: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a backend that trains at 64 pixels."""
    architecture = {"detect": "yolov8n.yaml", "segment": "yolov8n-seg.yaml"}.get(task)
    chosen = weights or architecture
    return {
        "apiVersion": "lsbackends.dev/v1alpha1",
        "kind": "LabelStudioBackend",
        "metadata": {"name": "tiny"},
        "spec": {
            "labelStudio": {"url": NOWHERE, "projects": [1], "backendURL": "http://127.0.0.1:9090"},
            "model": {"task": task, "imageSize": SIDE, **({"weights": chosen} if chosen else {})},
            "training": {"epochs": 2, "minimumAnnotations": 4, "arguments": {"batch": 4}, **training},
        },
    }


def freeze(run: Path, labels: Sequence[str], tasks: Sequence[dict[str, Any]]) -> None:
    """Make the folder of a run with its request and its frozen export."""
    tag = "PolygonLabels" if "points" in json.dumps(tasks) else "RectangleLabels"
    parts = [label.partition("=") for label in labels]
    rows = "".join(f'<Label value="{name}" predicted_values="{predicted}"/>' for name, _, predicted in parts)
    control = f'<{tag} name="label" toName="image">{rows}</{tag}>'
    config = f'<View><Image name="image" value="$image"/>{control}</View>'
    run.mkdir(parents=True)
    export = Export(projects=[ProjectExport(id=1, label_config=config, tasks=list(tasks))])
    (run / "export.json").write_text(export.model_dump_json())
    (run / "request.json").write_text('{"reason": "Manual", "asked_at": "2026-01-01T00:00:00Z"}')


def picture(seed: int) -> bytes:
    """A dark PNG with a bright square in it, at (16, 16) to (48, 48)."""
    image = np.random.default_rng(seed).integers(0, 60, (SIDE, SIDE, 3), dtype=np.uint8)
    image[16:48, 16:48] = (0, 40, 250)
    return bytes(cv2.imencode(".png", image)[1])


def exported_task(number: int, label: str, task: str = "detect") -> dict[str, Any]:
    """A task as Label Studio exports it, with one annotated region over the square."""
    tag = "polygonlabels" if task == "segment" else "rectanglelabels"
    box = {"x": 25, "y": 25, "width": 50, "height": 50, "rotation": 0}
    polygon = {"points": [[25, 25], [75, 25], [75, 75], [25, 75]], "closed": True}
    region = {
        "id": "r",
        "from_name": "label",
        "to_name": "image",
        "type": tag,
        "original_width": SIDE,
        "original_height": SIDE,
        "image_rotation": 0,
        "value": {**(polygon if task == "segment" else box), tag: [label]},
    }
    image = f"data:image/png;base64,{base64.b64encode(picture(number)).decode()}"
    annotation = {
        "id": number,
        "created_at": "2026-01-01T00:00:00Z",
        "result": [region],
        "was_cancelled": False,
    }
    return {"id": number, "data": {"image": image}, "annotations": [annotation]}


@pytest.fixture(scope="session")
def tasks() -> Callable[..., list[dict[str, Any]]]:
    """Tasks 1 to `count`, labelled with `labels` in turn."""

    def make(count: int, labels: Sequence[str], task: str = "detect") -> list[dict[str, Any]]:
        return [exported_task(number, labels[number % len(labels)], task) for number in range(1, count + 1)]

    return make


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with version 0: random weights of the smallest detector."""
    root = tmp_path_factory.mktemp("prepared") / "store"
    prepare(LabelStudioBackend.model_validate(manifest("detect", None, {})), Store.open(root), Recorder())
    return root


@pytest.fixture
def bench(tmp_path: Path, prepared: Path) -> Bench:
    """A store of one's own with version 0 in it."""
    shutil.copytree(prepared, tmp_path / "store")
    return Bench(tmp_path, Store.open(tmp_path / "store"))


@pytest.fixture(scope="session")
def learned(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> Bench:
    """A store after a training, to be looked at only. Four of its twelve tasks have a label that is gone."""
    folder = tmp_path_factory.mktemp("learned")
    shutil.copytree(prepared, folder / "store")
    bench = Bench(folder, Store.open(folder / "store"))
    labels = ("blue", "red", "removed")
    bench.freeze(labels[:2], [exported_task(number, labels[number % 3]) for number in range(1, 13)])
    bench.train(bench.backend())
    return bench


@pytest.fixture
def empty(tmp_path: Path) -> Bench:
    """An empty store."""
    return Bench(tmp_path, Store.open(tmp_path / "empty"))


@pytest.fixture
def make_manifest() -> Callable[..., dict[str, Any]]:
    """A manifest with the given fields of `training`."""

    def make(**training: Any) -> dict[str, Any]:
        return manifest("detect", None, training)

    return make


@pytest.fixture
def ended() -> Iterator[list[Program]]:
    """Programs put in here are ended with the test."""
    programs: list[Program] = []
    yield programs
    for program in programs:
        program.process.kill()
        program.process.wait()
