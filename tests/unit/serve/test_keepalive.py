"""A long answer keeps its connection alive; nobody works for a caller who left."""

import asyncio
import json
from typing import Any

import pytest

from lsb_backend.serve.errors import RefusalError
from lsb_backend.serve.keepalive import Pace, PatientResponse
from lsb_crds.errors import UserError

FALLBACK = b'{"results": [{}]}'
AT_ONCE = Pace(patience=0.001, interval=0.001)


class Caller:
    """The server's side of one HTTP exchange, as ASGI has it."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.left = asyncio.Event()
        self.first_space = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        if message.get("body") == b" ":
            self.first_space.set()

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)

    async def call(self, response: PatientResponse) -> None:
        await response({"type": "http"}, self.receive, self.send)  # type: ignore[arg-type]


async def test_short_work_is_answered_plainly() -> None:
    async def work() -> bytes:
        return b'{"results": []}'

    caller = Caller()
    await caller.call(PatientResponse(work, FALLBACK, Pace()))
    assert caller.status == 200
    assert caller.body == b'{"results": []}'


async def test_short_work_that_is_refused_has_the_status_of_its_error() -> None:
    async def work() -> bytes:
        raise RefusalError(503, "full", {"Retry-After": "1"})

    caller = Caller()
    await caller.call(PatientResponse(work, FALLBACK, Pace()))
    assert caller.status == 503
    assert json.loads(caller.body) == {"detail": "full"}
    assert (b"retry-after", b"1") in caller.sent[0]["headers"]


async def test_long_work_sends_spaces_and_then_one_json_document() -> None:
    caller = Caller()

    async def work() -> bytes:
        await caller.first_space.wait()
        return b'{"results": [{"score": 1}]}'

    await caller.call(PatientResponse(work, FALLBACK, AT_ONCE))
    assert caller.status == 200
    assert caller.body.startswith(b" ")
    assert json.loads(caller.body) == {"results": [{"score": 1}]}
    assert [message.get("more_body") for message in caller.sent][-1] is False


@pytest.mark.parametrize("error", [UserError("late"), ZeroDivisionError("late")])
async def test_work_that_fails_after_the_status_was_sent_reports_each_task_as_failed(
    error: Exception,
) -> None:
    caller = Caller()

    async def work() -> bytes:
        await caller.first_space.wait()
        raise error

    await caller.call(PatientResponse(work, FALLBACK, AT_ONCE))
    assert caller.status == 200
    assert json.loads(caller.body) == {"results": [{}]}


@pytest.mark.parametrize("pace", [Pace(), AT_ONCE], ids=["before the status", "while spaces are sent"])
async def test_a_caller_that_leaves_cancels_the_work(pace: Pace) -> None:
    caller, begun, cancelled = Caller(), asyncio.Event(), asyncio.Event()

    async def work() -> bytes:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return b""

    exchange = asyncio.create_task(caller.call(PatientResponse(work, FALLBACK, pace)))
    await (caller.first_space if pace is AT_ONCE else begun).wait()
    caller.left.set()
    await exchange
    assert cancelled.is_set()
