"""A dataset as `lsb train` builds it: the first two stages of a run."""

import asyncio
import io
import time
from pathlib import Path
from typing import Any

from benchmarks.bed.worker import answer, settings

from lsb_backend.store.store import Store
from lsb_backend.training.data import dataset, freeze
from lsb_backend.training.job import Job
from lsb_backend.training.progress import JsonLines
from lsb_crds.backend import LabelStudioBackend


def build(question: dict[str, Any]) -> dict[str, float]:
    """Export a project and build its dataset in a new run of a store; the seconds that took."""
    given = settings()
    backend = LabelStudioBackend.model_validate(
        {
            "apiVersion": "lsbackends.dev/v1alpha1",
            "kind": "LabelStudioBackend",
            "metadata": {"name": "dataset"},
            "spec": {
                "labelStudio": {
                    "url": given["url"],
                    "projects": [question["project"]],
                    "mediaHosts": ["127.0.0.1"],
                }
            },
        }
    )
    began = time.perf_counter()
    store = Store.open(Path(question["store"]))
    run = store.runs / question["run"]
    run.mkdir()
    job = Job(backend, store, given["url"], given["token"], run, JsonLines(io.StringIO()))
    export = asyncio.run(freeze(job))
    exported = time.perf_counter() - began
    manifest, _ = asyncio.run(dataset(job, export))
    return {
        "seconds": time.perf_counter() - began,
        "export": exported,
        "images": manifest.train + manifest.validation,
        "labels": len(list(job.dataset.glob("labels/*/*.txt"))),
    }


if __name__ == "__main__":
    answer(build)
