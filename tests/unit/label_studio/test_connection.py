"""How the connection behaves towards a server that fails in chosen ways."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import stamina
from aiohttp import web
from aiohttp.test_utils import TestServer

from lsb_backend.label_studio.client import LabelStudio
from lsb_backend.label_studio.errors import LabelStudioError, RefusedError, UnreachableError
from lsb_crds.errors import UserError

PERSONAL = "head.very-secret-body.signature"
Answer = Callable[[int], web.Response]


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """Repeat as often as usual, without the pauses."""
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


@asynccontextmanager
async def served(
    answer: Answer, prefix: str = "", token: str = "legacy"
) -> AsyncIterator[tuple[LabelStudio, list[web.Request]]]:
    """A server below `prefix` that gives `answer(n)` to the n-th request."""
    requests: list[web.Request] = []

    async def handle(request: web.Request) -> web.Response:
        requests.append(request)
        return answer(len(requests))

    app = web.Application()
    app.router.add_route("*", prefix + "/api/{path:.*}", handle)
    async with TestServer(app) as server, LabelStudio.connect(str(server.make_url(prefix)), token) as studio:
        yield studio, requests


def ok(value: Any = None) -> web.Response:
    return web.json_response(value)


async def test_a_failing_server_is_asked_again() -> None:
    async with served(lambda n: ok({"id": 1}) if n == 3 else web.Response(status=503)) as (studio, requests):
        assert await studio.project(1) == {"id": 1}
        assert len(requests) == 3


async def test_a_server_that_stays_down_is_given_up() -> None:
    async with served(lambda n: web.Response(status=502)) as (studio, requests):
        with pytest.raises(UnreachableError, match="down or starting"):
            await studio.project(1)
        assert len(requests) == 4


async def test_a_refusal_is_not_repeated() -> None:
    async with served(lambda n: web.json_response({"detail": "no"}, status=403)) as (studio, requests):
        with pytest.raises(RefusedError, match="no"):
            await studio.project(1)
        assert len(requests) == 1


async def test_a_post_is_never_repeated() -> None:
    async with served(lambda n: web.Response(status=503)) as (studio, requests):
        with pytest.raises(UnreachableError):
            await studio.add_backend({"url": "http://host:9090"})
        assert len(requests) == 1


async def test_a_401_is_tried_once_more_with_a_new_access_token() -> None:
    def answer(n: int) -> web.Response:
        return [ok({"access": "a"}), web.Response(status=401), ok({"access": "b"}), ok({"id": 5})][n - 1]

    async with served(answer, token=PERSONAL) as (studio, requests):
        assert await studio.project(5) == {"id": 5}
    assert [request.headers.get("Authorization") for request in requests] == [
        None,
        "Bearer a",
        None,
        "Bearer b",
    ]


async def test_a_second_401_is_explained_and_ends_it() -> None:
    refusal = {"detail": "Invalid token."}
    async with served(lambda n: web.json_response(refusal, status=401)) as (studio, requests):
        with pytest.raises(RefusedError, match="does not know this token"):
            await studio.project(1)
        assert len(requests) == 2


async def test_the_sub_path_is_kept() -> None:
    async with served(lambda n: ok({"id": 1}), prefix="/deep/label") as (studio, requests):
        await studio.check()
        assert [request.path for request in requests] == ["/deep/label/api/current-user/whoami"]


async def test_a_redirect_is_not_followed() -> None:
    redirect = web.Response(status=302, headers={"Location": "/user/login/?next=/api"})
    async with served(lambda n: redirect) as (studio, requests):
        with pytest.raises(LabelStudioError, match="redirects to /user/login/:"):
            await studio.check()
        assert len(requests) == 1


async def test_a_page_in_place_of_json_is_another_server() -> None:
    page = "<!doctype html><title>Welcome</title>"
    async with served(lambda n: web.Response(text=page, content_type="text/html")) as (studio, _):
        with pytest.raises(LabelStudioError, match="not as Label Studio does"):
            await studio.check()


async def test_json_of_another_server_is_not_taken_for_label_studio() -> None:
    async with served(lambda n: ok({"status": "UP"})) as (studio, _):
        with pytest.raises(LabelStudioError, match="not as Label Studio does"):
            await studio.check()
        with pytest.raises(LabelStudioError, match="unknown form"):
            await studio.backends(1)


async def test_an_endless_answer_is_cut() -> None:
    async with served(lambda n: web.Response(body=b"[" + b"1," * 100_000)) as (studio, _):
        with pytest.raises(LabelStudioError, match="larger than"):
            await studio.export(1, maximum_bytes=100_000)


async def test_a_removed_thing_may_be_gone_already() -> None:
    async with served(lambda n: web.json_response({"detail": "Not found."}, status=404)) as (studio, _):
        assert not await studio.remove_webhook(1)
    async with served(lambda n: web.Response(status=404, text="<html>")) as (studio, _):
        with pytest.raises(LabelStudioError, match="not as Label Studio does"):
            await studio.remove_webhook(1)


async def test_no_token_gets_into_a_log_or_an_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def answer(n: int) -> web.Response:
        return ok({"access": "secret-access"}) if n == 1 else web.Response(status=503)

    async with served(answer, token=PERSONAL) as (studio, requests):
        with pytest.raises(LabelStudioError) as caught:
            await studio.project(1)
    async with served(lambda n: web.Response(status=500), token=PERSONAL) as (studio, _):
        with pytest.raises(LabelStudioError) as refused:
            await studio.check()
    everything = [
        *(str(record.__dict__) for record in caplog.records),
        repr(caught.value),
        repr(refused.value),
    ]
    assert requests[1].headers["Authorization"] == "Bearer secret-access"
    assert caplog.records
    assert not [text for text in everything if "secret" in text]


async def test_only_the_own_origin_is_owned() -> None:
    async with LabelStudio.connect("https://studio.example/label/", "t") as studio:
        assert studio.url == "https://studio.example/label"
        assert studio.owns("https://studio.example/label/data/upload/1/a.png")
        assert studio.owns("https://STUDIO.example:443/")
        for other in (
            "http://studio.example/",
            "https://studio.example:8443/",
            "https://studio.example.evil.org/",
            "https://studio.example@evil.org/",
            "https://evil.org/https://studio.example/",
            "//studio.example/",
            "/data/upload/1/a.png",
            "s3://studio.example/",
            "https://[",
            "",
        ):
            assert not studio.owns(other), other


@pytest.mark.parametrize(
    "url", ["", "studio:8080", "ftp://studio", "http://", "http://[", "http://h:99999", "http://user:pw@host"]
)
async def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UserError, match=r"labelStudio\.url") as caught:
        async with LabelStudio.connect(url, "t"):
            pass
    assert "pw" not in str(caught.value)
