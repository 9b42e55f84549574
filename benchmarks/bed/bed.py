"""What the benchmarks share: pictures on loopback, a model, and servers of it."""

import contextlib
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import yaml
from benchmarks.bed import pictures
from benchmarks.bed.callers import Server, predict_body
from benchmarks.bed.environment import ROOT, as_shipped, plain
from benchmarks.bed.rounds import say
from benchmarks.bed.worker import Worker
from benchmarks.options import Options
from label_studio import free_port
from serving import ServingProcess, until

IMAGE_SIZE = 640
CONFIDENCE, IOU, MAXIMUM_DETECTIONS = 0.25, 0.7, 300


class Bed:
    """Everything is made when it is first asked for, and gone with `stack`."""

    def __init__(self, options: Options, stack: contextlib.ExitStack) -> None:
        self.options = options
        self.amount = options.amount
        self.folder = options.folder
        self._stack = stack

    @cached_property
    def pictures(self) -> list[Path]:
        """A picture for each task of a request."""
        say("makes the pictures")
        return pictures.write(self.folder / "pictures", self.amount.tasks)

    @cached_property
    def picture_url(self) -> str:
        """Where they are served."""
        return self.serve_pictures(self.pictures[0].parent)

    def serve_pictures(self, folder: Path) -> str:
        """Serve all pictures of a folder in a process of its own; its address."""
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.bed.picture_server", str(folder), str(port)],
            cwd=ROOT,
            env=plain(),
        )
        self._stack.callback(_end, process)
        url = f"http://127.0.0.1:{port}"
        until(lambda: _answers(url), "pictures are served")
        return url

    def addresses(self, mark: str) -> list[str]:
        """The address of each picture under a mark: other bytes than under any other mark."""
        return [f"{self.picture_url}/{mark}/{path.name}" for path in self.pictures]

    def body(self, mark: str) -> bytes:
        """A request for all pictures under a mark."""
        return predict_body(self.label_config, self.addresses(mark))

    def single_bodies(self, mark: str, count: int) -> list[bytes]:
        """`count` requests for one picture each, in turn, every one under a mark of its own."""
        return [
            predict_body(
                self.label_config,
                [f"{self.picture_url}/{mark}-{number}/{self.pictures[number % len(self.pictures)].name}"],
            )
            for number in range(count)
        ]

    @cached_property
    def weights(self) -> Path:
        """A nano network with some detections in every picture."""
        say("makes the model")
        path = self.folder / "weights.pt"
        with Worker("make_weights", self.folder / "workers") as worker:
            found = worker.ask(pictures=[str(one) for one in self.pictures[:8]], output=str(path))
        say(f"the model finds {found['median']:.0f} objects in a picture")
        return path

    @cached_property
    def classes(self) -> list[str]:
        """The class names of COCO, as ultralytics brings them."""
        return class_names()

    @cached_property
    def label_config(self) -> str:
        """A label config with all of them."""
        labels = "".join(f"<Label value={quoteattr(name)}/>" for name in self.classes)
        return (
            '<View><Image name="image" value="$image"/>'
            f'<RectangleLabels name="label" toName="image">{labels}</RectangleLabels></View>'
        )

    @cached_property
    def exported(self) -> Path:
        """The network as ONNX, as the servers have it."""
        (found,) = (self._store / "versions").glob("*/model.onnx")
        return found

    @cached_property
    def _store(self) -> Path:
        backend = self.backend("prepare", "torch")
        backend.lsb("prepare", "--store", str(backend.store))
        return backend.store

    def backend(self, name: str, runtime: str, precision: str = "f32", *arguments: str) -> ServingProcess:
        """A server that is not started; its store is empty."""
        spec: dict[str, Any] = {
            "labelStudio": {"mediaHosts": ["127.0.0.1"]},
            "model": {
                "task": "detect",
                "weights": str(self.weights),
                "confidence": CONFIDENCE,
                "iou": IOU,
                "imageSize": IMAGE_SIZE,
                "maxDetections": MAXIMUM_DETECTIONS,
            },
            "serving": {"runtime": runtime, "precision": precision},
            "training": {"triggers": {"annotations": 0}},
            "prelabel": {"afterRollout": False},
        }
        # Nobody answers there, and no project is listed, so nobody is needed.
        studio = f"http://127.0.0.1:{free_port()}"
        return ServingProcess(self.folder / name, studio, "none", spec, *arguments)

    @contextlib.contextmanager
    def serving(self, name: str, runtime: str, precision: str = "f32") -> Iterator[ServingProcess]:
        """A server of the model that is ready."""
        backend = self.prepared(name, runtime, precision)
        backend.start()
        try:
            yield backend
        finally:
            backend.stop()

    def prepared(self, name: str, runtime: str, precision: str = "f32") -> ServingProcess:
        """A server that is not started, with the model in its store."""
        backend = self.backend(name, runtime, precision)
        shutil.copytree(self._store, backend.store, dirs_exist_ok=True)
        return backend

    @contextlib.contextmanager
    def measured(self, runtime: str, precision: str) -> Iterator[Server]:
        """The server to measure: ours, or the one whose address was given."""
        if self.options.url:
            yield Server(self.options.url, self.label_config, self.options.authorization)
            return
        with self.serving(f"{runtime}-{precision}", runtime, precision) as backend:
            yield Server(backend.url, self.label_config)

    def worker(self, module: str, **settings: Any) -> Worker:
        """A baseline; the caller closes it."""
        return Worker(module, self.folder / "workers", as_shipped(self.folder / "workers"), **settings)

    def predicting(self, module: str, **settings: Any) -> Worker:
        """A baseline that predicts as our servers do."""
        parameters = {"size": IMAGE_SIZE, "confidence": CONFIDENCE, "iou": IOU}
        return self.worker(module, **parameters, maximum=MAXIMUM_DETECTIONS, **settings)


def class_names() -> list[str]:
    """The class names of COCO by index."""
    from importlib.util import find_spec

    spec = find_spec("ultralytics")  # found, not imported: importing it takes seconds
    if spec is None or spec.origin is None:
        raise SystemExit("ultralytics is not installed: run `make setup`")
    found = yaml.safe_load((Path(spec.origin).parent / "cfg/datasets/coco.yaml").read_text("utf-8"))
    names: Sequence[str] = [name for _, name in sorted(found["names"].items())]
    return list(names)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own server
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(20)


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))
