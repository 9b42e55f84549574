"""What both sides of the training benchmark start from: a store, a frozen export, and the dataset in it."""

import asyncio
import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.bed.worker import answer, settings
from demo.annotator import LABEL_CONFIG, annotation
from demo.pictures import generate

from lsb_backend.dataset.build import build
from lsb_backend.dataset.manifest import Export, ProjectExport
from lsb_backend.dataset.split import Split
from lsb_backend.media.inline import decode_uri
from lsb_backend.media.limits import Limits
from lsb_backend.store.store import WEIGHTS, Store
from lsb_backend.training.arguments import merge
from lsb_backend.training.learning import labels_to_learn
from lsb_backend.training.prepare import prepare
from lsb_backend.training.progress import JsonLines
from lsb_crds.manifest import load_backend

_PROJECT = 1


def make(question: dict[str, Any]) -> dict[str, Any]:
    """Write them; the export, the dataset's data.yaml, the weights, and what ultralytics is told."""
    given = settings()
    backend = load_backend(Path(given["manifest"]))
    store = Store.open(Path(given["store"]))
    version = prepare(backend, store, JsonLines(io.StringIO())).version
    export = _export(question["images"])
    folder = Path(question["folder"])
    frozen = folder / "export.json"
    frozen.write_text(export.model_dump_json())
    asyncio.run(_dataset(export, folder, backend.spec.training.validation_fraction))
    spec = backend.spec
    arguments = merge(spec.training.arguments, spec.training.epochs, spec.model.image_size, gpu=False)
    return {
        "export": str(frozen),
        "data": str(folder / "dataset" / "data.yaml"),
        "weights": str(store.folder(version) / WEIGHTS),
        "arguments": arguments | {"workers": 0},
    }


def _export(images: int) -> Export:
    random = np.random.default_rng(0)
    moment = "2026-01-01T00:00:00Z"
    tasks = [
        {
            "id": number,
            "data": {"image": "data:image/jpeg;base64," + base64.b64encode(picture.jpeg()).decode()},
            "annotations": [
                {
                    "id": number,
                    "was_cancelled": False,
                    "created_at": moment,
                    "updated_at": moment,
                    "result": annotation(picture, random),
                }
            ],
        }
        for number, picture in enumerate(generate(images), start=1)
    ]
    return Export(projects=[ProjectExport(id=_PROJECT, label_config=LABEL_CONFIG, tasks=tasks)])


async def _dataset(export: Export, folder: Path, fraction: float) -> None:
    async def read(task_id: int, address: str) -> bytes:
        return decode_uri(address, Limits().bytes)

    labels = labels_to_learn(export, "detect")
    split = Split.load(folder / "split.json")
    split.assign([f"{_PROJECT}:{task['id']}" for task in export.projects[0].tasks], fraction)
    await build(export, folder / "dataset", read, [label.name for label in labels], "detect", split)


if __name__ == "__main__":
    answer(make)
