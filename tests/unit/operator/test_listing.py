"""What is learned from kopf's requests, with a real HTTP server in the API server's place."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from lsb_operator.cache import Cache
from lsb_operator.kinds import WATCHED, Kind, Watch
from lsb_operator.listing import Listing, ParsedOnce
from lsb_operator.queue import Key

SERVICES = next(kind for kind in WATCHED if kind.name == "Service")
CATS = ("studio", "cats")
LABELS = {"lsbackends.dev/backend": "cats"}
PODS = next(kind for kind in WATCHED if kind.name == "Pod")


class Server:
    """Answers lists from `items`; empty lists of metadata as the API server does, with null."""

    def __init__(self) -> None:
        self.items: dict[str, list[tuple[str, str]]] = {}
        self.accepted: list[str] = []
        self.forgotten = 0
        """So many watches, or rests of lists, begin where nothing is known any more."""
        self.status = 200

    async def answer(self, request: web.Request) -> web.Response:
        accept = request.headers["Accept"]
        self.accepted.append(accept)
        if self.status != 200:
            return web.json_response({"kind": "Status", "code": self.status}, status=self.status)
        if self.forgotten and not {"watch", "continue"}.isdisjoint(request.query):
            self.forgotten -= 1
            return web.json_response({"kind": "Status", "code": 410}, status=410)
        items: list[Any] | None = [
            {"metadata": {"namespace": namespace, "name": name, "labels": LABELS}}
            for namespace, name in self.items.get(request.path, [])
        ]
        metadata: dict[str, str] = {"resourceVersion": "1"}
        if items and "limit" in request.query:
            half = items[1:] if "continue" in request.query else items[:1]
            metadata |= {} if "continue" in request.query else {"continue": "more"}
            items = half
        if not items and "PartialObjectMetadata" in accept:
            items = None
        return web.json_response({"metadata": metadata, "items": items})


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def address(server: Server) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/{path:.*}", server.answer)
    async with TestServer(app) as running:
        yield str(running.make_url("")).rstrip("/")


@pytest.fixture
def cache() -> Cache:
    return Cache()


@pytest.fixture
def dirty() -> list[Key]:
    return []


@pytest.fixture
def listing(cache: Cache, dirty: list[Key]) -> Listing:
    return Listing((), cache, dirty.append)


@pytest.fixture
async def session(listing: Listing) -> AsyncIterator[ClientSession]:
    async with ClientSession(middlewares=(listing,), response_class=ParsedOnce) as running:
        yield running


async def _list(session: ClientSession, address: str, kind: Kind, **query: str) -> Any:
    async with session.get(address + kind.path(), params=query) as answer:
        return await answer.json(content_type=None)


async def test_metadata_alone_is_asked_for_where_it_is_enough(
    server: Server, address: str, session: ClientSession
) -> None:
    server.items[SERVICES.path()] = [("studio", "cats")]
    await _list(session, address, SERVICES)
    await _list(session, address, SERVICES, watch="true")
    await _list(session, address, PODS)
    assert "as=PartialObjectMetadataList;" in server.accepted[0]
    assert "as=PartialObjectMetadata;" in server.accepted[1]
    assert "Partial" not in server.accepted[2]


async def test_the_items_of_a_list_go_to_the_cache_and_not_to_kopf(
    server: Server, address: str, session: ClientSession, cache: Cache, dirty: list[Key]
) -> None:
    server.items[PODS.path()] = [("studio", "a")]
    assert (await _list(session, address, PODS))["items"] == []
    assert [pod["metadata"]["name"] for pod in cache.pods(CATS)] == ["a"]
    assert dirty == [CATS]


async def test_an_empty_list_of_metadata_reads_like_any_other(address: str, session: ClientSession) -> None:
    assert (await _list(session, address, SERVICES))["items"] == []


async def test_what_a_later_list_no_longer_has_is_forgotten_even_if_it_comes_in_parts(
    server: Server, address: str, session: ClientSession, cache: Cache, dirty: list[Key]
) -> None:
    server.items[PODS.path()] = [("studio", "a"), ("studio", "b"), ("studio", "c")]
    await _list(session, address, PODS)
    dirty.clear()
    server.items[PODS.path()] = [("studio", "a"), ("studio", "b")]
    await _list(session, address, PODS, limit="1")
    assert len(cache.pods(CATS)) == 3
    await _list(session, address, PODS, limit="1", **{"continue": "more"})
    assert [pod["metadata"]["name"] for pod in cache.pods(CATS)] == ["a", "b"]
    assert CATS in dirty


async def test_the_rest_of_a_list_that_is_no_longer_known_is_its_beginning(
    server: Server, address: str, session: ClientSession, cache: Cache
) -> None:
    server.items[PODS.path()] = [("studio", "a"), ("studio", "b")]
    await _list(session, address, PODS, limit="1")
    server.items[PODS.path()] = [("studio", "c"), ("studio", "d")]
    server.forgotten = 1
    answer = await _list(session, address, PODS, limit="1", **{"continue": "more"})
    assert answer["metadata"]["continue"] == "more"
    await _list(session, address, PODS, limit="1", **{"continue": "more"})
    assert [pod["metadata"]["name"] for pod in cache.pods(CATS)] == ["c", "d"]


async def test_kopf_lists_again_where_a_watch_is_refused_because_its_past_is_forgotten(
    server: Server, address: str, session: ClientSession
) -> None:
    server.forgotten = 1
    async with session.get(address + PODS.path(), params={"watch": "true"}) as answer:
        assert answer.status == 200
        event = json.loads(await answer.content.read())
    # Of this one kopf makes a new list; a status ends it.
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)


async def test_everything_is_known_once_every_kind_is_listed(
    address: str, session: ClientSession, listing: Listing
) -> None:
    waiting = asyncio.create_task(listing.synced())
    for kind in WATCHED:
        await asyncio.sleep(0)
        assert not waiting.done()
        await _list(session, address, kind)
    await asyncio.wait_for(waiting, 60)


async def test_a_watch_that_is_asked_for_is_not_silent(
    address: str, session: ClientSession, listing: Listing
) -> None:
    for kind in WATCHED:
        await _list(session, address, kind)
    before = listing.silence()
    for kind in WATCHED[1:]:
        await _list(session, address, kind, watch="true")
    # The one that was not renewed counts.
    assert listing.silence() >= before


async def test_a_watch_that_is_refused_is_silent(
    server: Server, address: str, session: ClientSession, listing: Listing
) -> None:
    server.status = 403
    before = listing.silence()
    for kind in WATCHED:
        async with session.get(address + kind.path(), params={"watch": "true"}) as answer:
            assert answer.status == 403
    assert listing.silence() > before


async def test_a_token_that_is_not_known_yet_is_no_reason_to_look_for_another(
    server: Server, address: str, session: ClientSession
) -> None:
    server.status = 401
    async with session.get(address + PODS.path()) as answer:
        # kopf tries again after this one; after the other it ends.
        assert answer.status == 503


async def test_other_requests_pass_untouched(server: Server, address: str, session: ClientSession) -> None:
    async with session.get(f"{address}/version"):
        pass
    assert server.accepted == ["*/*"]


def test_most_kinds_are_watched_by_metadata_or_by_our_label() -> None:
    assert sum(kind.watch is Watch.METADATA for kind in WATCHED) >= 5
    assert [kind.name for kind in WATCHED if not kind.ours] == [
        "LabelStudioBackend",
        "LabelStudioTraining",
        "Event",
    ]
