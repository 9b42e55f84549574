"""Answers that take longer than a caller waits: something is written every few seconds meanwhile."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from lsb_backend.serve.errors import refuse
from lsb_crds.errors import UserError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """`patience`: seconds to wait for a plain answer; `interval`: seconds between two spaces afterwards."""

    patience: float = 5.0
    interval: float = 5.0


class PatientResponse(Response):
    """The JSON that `work` returns, however long it takes.

    Work done within the patience is answered plainly, an error with its own status. After that the status is
    fixed at 200: spaces are sent while the work goes on, then its JSON, or `fallback` if it failed.
    A caller that leaves cancels the work.
    """

    media_type = "application/json"

    def __init__(self, work: Callable[[], Awaitable[bytes]], fallback: bytes, pace: Pace) -> None:
        super().__init__()
        self._work = work
        self._fallback = fallback
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        work = asyncio.ensure_future(self._work())
        gone = asyncio.ensure_future(_until_disconnected(receive))
        try:
            await _first_of(work, gone, self._pace.patience)
            if work.done():
                await _plain(work)(scope, receive, send)
            elif not gone.done():
                await self._stream(work, gone, send)
        finally:
            await _cancel(work, gone)

    async def _stream(self, work: asyncio.Future[bytes], gone: asyncio.Future[None], send: Send) -> None:
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while not (work.done() or gone.done()):
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
            await _first_of(work, gone, self._pace.interval)
        if work.done():
            await send({"type": "http.response.body", "body": self._result(work), "more_body": False})

    def _result(self, work: asyncio.Future[bytes]) -> bytes:
        error = work.exception()
        if error is None:
            return work.result()
        # Half an answer has been sent: each task is reported as failed, which Label Studio asks for again.
        log.error("A request failed after its answer had begun", exc_info=error)
        return self._fallback


def _plain(work: asyncio.Future[bytes]) -> Response:
    try:
        return Response(work.result(), media_type="application/json")
    except UserError as error:
        return refuse(error)


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _first_of(work: asyncio.Future[bytes], gone: asyncio.Future[None], timeout: float) -> None:  # noqa: ASYNC109
    futures: set[asyncio.Future[Any]] = {work, gone}
    await asyncio.wait(futures, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)


async def _cancel(*tasks: asyncio.Future[bytes] | asyncio.Future[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
