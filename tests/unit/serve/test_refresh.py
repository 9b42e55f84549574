"""After a roll-out the unlabelled tasks get new predictions, unless a newer version overtakes."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aiohttp import web

from lsb_backend.label_studio.client import LabelStudio
from lsb_backend.predict.slot import Served, Slot
from lsb_backend.runtime.dummy import DummyRuntime
from lsb_backend.serve.refresh import Refresh
from lsb_backend.serve.status import Status
from lsb_backend.store.card import Card

UNLIMITED = 1e9
Until = Callable[[Callable[[], bool]], Awaitable[None]]


class Studio:
    """Label Studio's list of tasks and its action that fetches predictions."""

    def __init__(self, slot: Slot, tasks: int) -> None:
        self.slot = slot
        self.ids = list(range(1, tasks + 1))
        self.asked: list[int] = []
        self.overtaken_by: str | None = None
        self.refuses_after: int | None = None
        self.version = "1-00000001"
        self.stored: set[int] = set()
        self.cannot_reach_us = 0
        """So many times it gives up on the backend, and says nothing of it."""
        self.pages = 0

    async def tasks(self, request: web.Request) -> web.Response:
        query = json.loads(request.query["query"])
        values = {item["operator"]: item["value"] for item in query["filters"]["items"]}
        listed = self.ids if "contains" not in values else sorted(self.stored)
        assert values.get("contains") in (None, [self.version])
        page = [number for number in listed if number > values["greater"]][: int(request.query["page_size"])]
        return web.json_response({"tasks": [{"id": number} for number in page], "total": len(self.ids)})

    async def action(self, request: web.Request) -> web.Response:
        if self.refuses_after is not None and self.pages >= self.refuses_after:
            return web.json_response({"detail": "gone"}, status=404)
        self.pages += 1
        assert request.query["id"] == "retrieve_tasks_predictions"
        tasks = (await request.json())["selectedItems"]["included"]
        self.asked += tasks
        self.cannot_reach_us -= 1
        if self.cannot_reach_us < 0:
            # The last one's picture cannot be read.
            self.stored |= set(tasks) - {self.ids[-1]}
        if self.overtaken_by:
            self.slot.swap(served(self.overtaken_by))
        return web.json_response({"processed_items": 0, "detail": "Retrieved"})

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[LabelStudio]:
        app = web.Application()
        app.router.add_get("/api/tasks", self.tasks)
        app.router.add_post("/api/dm/actions", self.action)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with LabelStudio.connect(url, "a" * 40) as studio:
            yield studio
        await runner.cleanup()


def served(version: str) -> Served:
    card = Card(
        task="dummy",
        classes=[],
        trained=True,
        version=version,
        sequence=0,
        sha256="0" * 64,
        created_at=datetime.now(UTC),
    )
    return Served(version, DummyRuntime(), card, ())


@pytest.fixture
def slot() -> Slot:
    found = Slot(lambda runtime: None)
    found.swap(served("1-00000001"))
    return found


async def refresh(studio: Studio, slot: Slot, status: Status) -> None:
    async def projects() -> list[int]:
        return [1]

    async with studio.connected() as client:
        await Refresh(client, projects, slot, status, UNLIMITED, first_pause=0.001).run("1-00000001")


async def test_every_unlabelled_task_is_asked_for_once(slot: Slot) -> None:
    studio, status = Studio(slot, tasks=250), Status()
    await refresh(studio, slot, status)
    assert studio.asked == list(range(1, 251))
    assert status.refreshing is not None
    assert (status.refreshing.asked, status.refreshing.finished) == (250, True)


async def test_what_label_studio_did_not_fetch_without_a_word_is_asked_for_again(slot: Slot) -> None:
    studio, status = Studio(slot, tasks=250), Status()
    studio.cannot_reach_us = 5
    await refresh(studio, slot, status)
    assert studio.stored == set(range(1, 250))
    assert len(studio.asked) == 250 + 250 + 200
    assert status.refreshing is not None
    assert (status.refreshing.asked, status.refreshing.finished) == (250, True)
    assert status.refreshing.message == ""


async def test_tasks_that_nobody_can_predict_are_not_asked_for_for_ever(
    slot: Slot, caplog: pytest.LogCaptureFixture
) -> None:
    studio, status = Studio(slot, tasks=101), Status()
    await refresh(studio, slot, status)
    assert studio.asked == [*range(1, 101), *[101] * 10]
    assert status.refreshing is not None
    assert status.refreshing.finished
    assert "Given up after 10 tries: tasks 101 to 101" in caplog.text


async def test_it_stops_when_a_newer_version_serves(slot: Slot) -> None:
    studio, status = Studio(slot, tasks=250), Status()
    studio.overtaken_by = "2-00000002"
    await refresh(studio, slot, status)
    assert len(studio.asked) < 250
    assert status.refreshing is not None
    assert status.refreshing.finished is False


async def test_it_goes_on_where_label_studio_refused_it(slot: Slot, until: Until) -> None:
    studio, status = Studio(slot, tasks=250), Status()
    studio.refuses_after = 1
    refreshing = asyncio.create_task(refresh(studio, slot, status))
    await until(lambda: status.refreshing is not None and bool(status.refreshing.message))
    assert status.refreshing is not None
    assert 0 < status.refreshing.asked < 250
    assert not status.refreshing.finished
    studio.refuses_after = None
    await refreshing
    assert studio.asked == list(range(1, 251))
    assert (status.refreshing.asked, status.refreshing.finished) == (250, True)
    assert status.refreshing.message == ""


async def test_a_refusal_is_not_repeated_for_a_version_that_serves_no_more(slot: Slot, until: Until) -> None:
    studio, status = Studio(slot, tasks=5), Status()
    studio.refuses_after = 0
    refreshing = asyncio.create_task(refresh(studio, slot, status))
    await until(lambda: status.refreshing is not None and bool(status.refreshing.message))
    slot.swap(served("2-00000002"))
    await refreshing
    assert studio.asked == []
    assert status.refreshing is not None
    assert status.refreshing.finished is False
