"""The count of changed annotations is what Label Studio says, however few webhooks arrive."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from lsb_backend.dataset.annotations import digests
from lsb_backend.store.store import Store
from lsb_backend.triggers.count import AnnotationCount, Count, Timing, count, read_learned
from lsb_crds.errors import UserError

Until = Callable[[Callable[[], bool]], Awaitable[None]]
QUICK = Timing(settle=0.0, period=3600.0, rest=0.0)


def annotation(number: int, x: float = 10.0, cancelled: bool = False) -> dict[str, Any]:
    region = {
        "id": f"region{number}",
        "from_name": "label",
        "to_name": "image",
        "type": "rectanglelabels",
        "value": {"x": x, "y": 10.0, "width": 5.0, "height": 5.0, "rotation": 0, "rectanglelabels": ["cat"]},
    }
    stamp = f"2026-01-01T00:00:{number % 60:02d}.000000Z"
    return {
        "id": number,
        "was_cancelled": cancelled,
        "ground_truth": False,
        "created_at": stamp,
        "updated_at": stamp,
        "result": [region],
    }


def task(number: int, *annotations: dict[str, Any]) -> dict[str, Any]:
    return {"id": number, "data": {"image": "x"}, "annotations": list(annotations)}


def test_created_updated_and_bulk_created_annotations_count() -> None:
    before = {1: [task(1, annotation(1)), task(2, annotation(2))]}
    after = {1: [task(1, annotation(1)), task(2, annotation(2, x=20.0)), task(3, annotation(3))]}
    assert count(digests(after), digests(before)) == Count(annotated=3, changed=2)


def test_skipped_annotations_do_not_count() -> None:
    assert count(digests({1: [task(1, annotation(1, cancelled=True))]}), {}) == Count(0, 0)


def test_ten_edits_of_one_task_count_once() -> None:
    edits = [annotation(number, x=float(number)) for number in range(10)]
    assert count(digests({1: [task(1, *edits)]}), {}).changed == 1


def test_saving_without_a_change_does_not_count() -> None:
    before, after = annotation(1), annotation(1)
    after["updated_at"] = "2027-01-01T00:00:00.000000Z"
    assert count(digests({1: [task(1, after)]}), digests({1: [task(1, before)]})).changed == 0


def test_equal_task_ids_of_two_projects_are_two_tasks() -> None:
    projects = {1: [task(1, annotation(1))], 2: [task(1, annotation(1))]}
    assert count(digests(projects), {}).changed == 2
    assert count(digests(projects), digests({1: projects[1]})).changed == 1


def test_a_damaged_file_of_what_was_learned_is_explained(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    assert read_learned(store) == {}
    store.learned_file.write_text("{")
    with pytest.raises(UserError, match=r"learned\.json"):
        read_learned(store)


class Studio:
    """The annotations as somebody else changes them; reads can be made to fail."""

    def __init__(self) -> None:
        self.projects: dict[int, list[dict[str, Any]]] = {1: []}
        self.down = False
        self.reads = 0

    async def read(self) -> dict[str, str]:
        self.reads += 1
        if self.down:
            raise UserError("Label Studio is down")
        return digests(self.projects)


class Counted:
    """What was counted, to wait for."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Count] = asyncio.Queue()

    async def take(self, found: Count) -> None:
        self.queue.put_nowait(found)


async def test_annotations_whose_webhook_was_lost_are_found_by_the_period(tmp_path: Path) -> None:
    studio, counted = Studio(), Counted()
    timing = Timing(settle=0.0, period=0.001, rest=0.0)
    work = asyncio.create_task(AnnotationCount(Store.open(tmp_path), studio.read, counted.take, timing).run())
    assert (await counted.queue.get()).changed == 0
    studio.projects = {1: [task(1, annotation(1))]}
    while (await counted.queue.get()).changed != 1:
        pass
    work.cancel()


async def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    studio = Studio()
    studio.projects = {1: [task(1, annotation(1)), task(2, annotation(2))]}
    for _ in range(2):
        counted = Counted()
        work = asyncio.create_task(
            AnnotationCount(Store.open(tmp_path), studio.read, counted.take, QUICK).run()
        )
        assert (await counted.queue.get()).changed == 2
        work.cancel()


async def test_many_hints_at_once_are_one_read(tmp_path: Path) -> None:
    studio, counted = Studio(), Counted()
    counting = AnnotationCount(Store.open(tmp_path), studio.read, counted.take, QUICK)
    work = asyncio.create_task(counting.run())
    await counted.queue.get()
    for _ in range(100):
        counting.hint()
    await counted.queue.get()
    assert studio.reads == 2
    work.cancel()


async def test_label_studio_down_is_said_once_and_counting_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, until: Until
) -> None:
    studio, counted = Studio(), Counted()
    studio.down = True
    timing = Timing(settle=0.0, period=0.001, again=0.001, rest=0.0)
    work = asyncio.create_task(AnnotationCount(Store.open(tmp_path), studio.read, counted.take, timing).run())
    await until(lambda: studio.reads >= 5)
    studio.down = False
    await counted.queue.get()
    assert [record.message for record in caplog.records].count(
        "Annotations cannot be counted, tried again until they can: Label Studio is down"
    ) == 1
    work.cancel()


async def test_a_training_counts_from_what_it_was_given(tmp_path: Path) -> None:
    store, studio, counted = Store.open(tmp_path), Studio(), Counted()
    studio.projects = {1: [task(1, annotation(1)), task(2, annotation(2))]}
    counting = AnnotationCount(store, studio.read, counted.take, QUICK)
    work = asyncio.create_task(counting.run())
    assert (await counted.queue.get()).changed == 2
    store.learned_file.write_text(json.dumps(digests(studio.projects)))
    counting.hint()
    assert (await counted.queue.get()).changed == 0
    work.cancel()
