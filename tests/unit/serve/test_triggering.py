"""When a training is asked for, and when not."""

from pathlib import Path
from typing import Any

import pytest

from lsb_backend.serve.status import Status
from lsb_backend.serve.triggering import train_at_threshold
from lsb_backend.store.store import Store
from lsb_backend.triggers.count import Count
from lsb_backend.triggers.launch import Launcher, Retries
from lsb_crds.backend import LabelStudioBackend


def backend(
    annotations: int = 10, minimum: int = 20, task: str = "detect", **spec: Any
) -> LabelStudioBackend:
    return LabelStudioBackend.model_validate(
        {
            "metadata": {"name": "cats"},
            "spec": {
                "labelStudio": {"url": "http://127.0.0.1:9"},
                "model": {"task": task},
                "training": {"triggers": {"annotations": annotations}, "minimumAnnotations": minimum},
                **spec,
            },
        }
    )


async def asked(
    store: Store, found: Count, manifest: LabelStudioBackend, status: Status | None = None
) -> bool:
    async def finished(_: object) -> None:
        return None

    launcher = Launcher(store, lambda run: [], Retries(0), finished)
    await train_at_threshold(found, manifest, launcher, status or Status())
    return any(store.runs.iterdir())


@pytest.mark.parametrize(
    ("found", "manifest", "expected"),
    [
        (Count(annotated=30, changed=9), backend(), False),
        (Count(annotated=30, changed=10), backend(), True),
        (Count(annotated=19, changed=19), backend(), False),
        (Count(annotated=20, changed=20), backend(), True),
        (Count(annotated=500, changed=500), backend(annotations=0), False),
        (Count(annotated=500, changed=500), backend(suspend=True), False),
    ],
    ids=["one short", "enough", "too few in all", "just enough in all", "switched off", "suspended"],
)
async def test_threshold(tmp_path: Path, found: Count, manifest: LabelStudioBackend, expected: bool) -> None:
    assert await asked(Store.open(tmp_path), found, manifest) is expected


async def test_the_same_count_twice_is_one_run(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    for _ in range(2):
        assert await asked(store, Count(annotated=30, changed=30), backend())
    assert len(list(store.runs.iterdir())) == 1


async def test_a_task_that_cannot_be_trained_is_refused_by_name(tmp_path: Path) -> None:
    status, enough = Status(), Count(annotated=30, changed=30)
    assert not await asked(Store.open(tmp_path), enough, backend(task="dummy"), status)
    assert status.training_refused is not None
    assert "dummy cannot be trained" in status.training_refused.message
