"""Predictions are refreshed when nobody answers with the old version any more."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from lsb_backend.serve.arrival import IN_A_ROW, everywhere


@asynccontextmanager
async def service(answer: Callable[[int], web.Response]) -> AsyncIterator[tuple[str, list[int]]]:
    """Stand in for a Service before several pods; `answer` gets the number of the request."""
    asked: list[int] = []

    async def readyz(_: web.Request) -> web.Response:
        asked.append(len(asked))
        return answer(asked[-1])

    app = web.Application()
    app.router.add_get("/cats/readyz", readyz)
    async with TestServer(app) as server:
        yield str(server.make_url("/cats/")), asked


async def test_old_pods_that_still_answer_are_waited_for() -> None:
    def mixed(number: int) -> web.Response:
        old = number in (0, 3, 6)
        return web.json_response({"model_version": "1-old" if old else "2-new"})

    async with service(mixed) as (url, asked):
        await everywhere(url, "2-new", lambda: True, pause=0.0)
    assert len(asked) == 7 + IN_A_ROW


@pytest.mark.parametrize(
    "answer", [web.json_response, lambda _: web.Response(text="<html>"), lambda _: web.Response(status=503)]
)
async def test_what_is_no_answer_of_ours_is_given_up_in_the_end(
    answer: Callable[[int], web.Response], caplog: pytest.LogCaptureFixture
) -> None:
    async with service(answer) as (url, _):
        await everywhere(url, "2-new", lambda: True, pause=0.0, patience=0.2)
    assert "did not answer with version 2-new" in caplog.text


async def test_an_address_that_nobody_answers_at_is_given_up_too(caplog: pytest.LogCaptureFixture) -> None:
    await everywhere("http://127.0.0.1:9", "2-new", lambda: True, pause=0.0, patience=0.1)
    assert "did not answer" in caplog.text


async def test_a_version_that_serves_no_more_is_not_waited_for() -> None:
    await everywhere("http://127.0.0.1:9", "2-new", lambda: False)
