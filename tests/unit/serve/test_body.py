"""What callers send at the same time is bounded, and so is how long they take."""

import asyncio
from typing import Any

import pytest
from starlette.requests import Request

from lsb_backend.serve.body import Bodies
from lsb_backend.serve.errors import RefusalError

LEFT = b"left"


class Caller:
    """Sends a body in the pieces that a test puts into `pieces`; None is its end, LEFT that of the caller."""

    def __init__(self, *pieces: bytes | None) -> None:
        self.pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.waits = asyncio.Event()
        for piece in pieces:
            self.pieces.put_nowait(piece)
        headers = [(b"content-type", b"application/json")]
        self.request = Request({"type": "http", "headers": headers}, self._receive)

    async def _receive(self) -> dict[str, Any]:
        if self.pieces.empty():
            self.waits.set()
        piece = await self.pieces.get()
        if piece is LEFT:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}


async def refusal(bodies: Bodies, caller: Caller) -> RefusalError:
    with pytest.raises(RefusalError) as caught:
        await bodies.read(caller.request)
    assert caught.value.headers["Connection"] == "close"
    return caught.value


async def test_long_bodies_that_arrive_together_are_bounded_and_short_ones_pass() -> None:
    bodies = Bodies(most=10, free=2)
    slow = Caller(b"12345", b"12345")
    reading = asyncio.create_task(bodies.read(slow.request))
    await slow.waits.wait()
    error = await refusal(bodies, Caller(b"12345", None))
    assert (error.status, error.headers["Retry-After"]) == (503, "5")
    assert await bodies.read(Caller(b"1", b"2", None).request) == b"12"
    slow.pieces.put_nowait(None)
    assert await reading == b"1234512345"
    assert await bodies.read(Caller(b"123456789012", None).request) == b"123456789012"


async def test_a_caller_that_leaves_gives_its_room_back() -> None:
    bodies = Bodies(most=10, free=0)
    slow = Caller(b"1234567890")
    reading = asyncio.create_task(bodies.read(slow.request))
    await slow.waits.wait()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert await bodies.read(Caller(b"1234567890", None).request) == b"1234567890"


async def test_a_body_that_does_not_arrive_is_given_up() -> None:
    error = await refusal(Bodies(patience=0.01), Caller(b"{"))
    assert error.status == 408
    assert "did not arrive within 0.01 s" in str(error)


async def test_a_caller_that_hangs_up_is_a_refusal_and_no_fault_of_ours() -> None:
    error = await refusal(Bodies(), Caller(b"{", LEFT))
    assert error.status == 408
