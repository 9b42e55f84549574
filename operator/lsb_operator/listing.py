"""Reads the lists that kopf asks for, before kopf does, and the changes that follow (see `changes`).

kopf takes half a millisecond for each object of a list, which is 8 s for a thousand backends. It does not
tell when everything has been seen, nor what is gone when a list follows a watch that was lost. It asks for
whole objects where their metadata would do, and it ends where HTTP status says that the past is forgotten,
or that a token is not known (yet).
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from aiohttp import ClientRequest, ClientResponse, StreamReader
from aiohttp.base_protocol import BaseProtocol

from lsb_operator.cache import Cache
from lsb_operator.changes import EXPIRED, Changes
from lsb_operator.facts import Manifest
from lsb_operator.kinds import WATCHED, Kind, Watch
from lsb_operator.queue import Key

Scope = tuple[str, str | None]
"""Kind, and the namespace that it is watched in (None: all)."""
Handler = Callable[[ClientRequest], Awaitable[ClientResponse]]
_METADATA_ONLY = "application/json;as={};g=meta.k8s.io;v=v1"


class ParsedOnce(ClientResponse):
    """A response whose JSON is parsed once: whoever asks again gets the same object."""

    _parsed: Any = None

    async def json(self, **options: Any) -> Any:
        """The content, parsed."""
        if self._parsed is None:
            self._parsed = await super().json(**options)
        return self._parsed

    async def tell_by_event(self) -> None:
        """Make of status 410 for a watch the event of the same meaning, after which all is listed anew."""
        await self.read()
        loop = asyncio.get_running_loop()
        self.status = HTTPStatus.OK.value
        self.content = StreamReader(BaseProtocol(loop), limit=2**16, loop=loop)
        self.content.feed_data(json.dumps(EXPIRED).encode())
        self.content.feed_eof()


class Listing:
    """A middleware of kopf's HTTP session: what comes goes into `cache`, and `dirty` is told whose it is."""

    def __init__(self, namespaces: tuple[str, ...], cache: Cache, dirty: Callable[[Key], None]) -> None:
        scopes = namespaces or (None,)
        self._kinds = {kind.path(scope): (kind, scope) for kind in WATCHED for scope in scopes}
        self._cache = cache
        self._dirty = dirty
        self._names: dict[Scope, set[tuple[str, str]]] = {}
        self._unlisted: set[Scope] = {(kind.name, scope) for kind, scope in self._kinds.values()}
        self._heard: dict[Scope, float] = dict.fromkeys(self._unlisted, time.monotonic())
        self._synced = asyncio.Event()

    async def __call__(self, request: ClientRequest, handler: Handler) -> ClientResponse:
        """Pass the request on: for metadata alone where that is enough, and keeping what comes."""
        found = self._kinds.get(request.url.path)
        if found is None:
            return await handler(request)
        kind, namespace = found
        scope = (kind.name, namespace)
        watching = "watch" in request.url.query
        _ask_for(request, kind, watching)
        response = await handler(request)
        if response.status == HTTPStatus.UNAUTHORIZED:
            # kopf would look for other credentials, of which there are none: a token is read anew each time.
            response.status = HTTPStatus.SERVICE_UNAVAILABLE.value
        if response.status == HTTPStatus.GONE:
            response = await _gone_on(request, response, handler)
        if response.status == 200:
            self._heard[scope] = time.monotonic()
        if response.status == 200 and watching:
            response.content = Changes(response.content, partial(self._changed, kind))  # type: ignore[assignment]
        elif response.status == 200:
            answer = await response.json()
            self._read(scope, answer, first="continue" not in request.url.query)
            answer["items"] = []
        return response

    async def synced(self) -> None:
        """Wait until every kind has been listed once."""
        await self._synced.wait()

    def silence(self) -> float:
        """Seconds since the watch that has been quiet for longest was last granted."""
        return time.monotonic() - min(self._heard.values())

    def _read(self, scope: Scope, answer: dict[str, Any], first: bool) -> None:
        kind, namespace = scope
        names = set() if first else self._names.get(scope, set())
        # A list of metadata that is empty has null for its items.
        for item in answer.get("items") or []:
            names.add((item["metadata"].get("namespace", ""), item["metadata"]["name"]))
            self._mark(self._cache.put(kind, item))
        self._names[scope] = names
        if not answer["metadata"].get("continue"):
            self._mark(self._cache.keep_only(kind, namespace, self._names.pop(scope)))
            self._unlisted.discard(scope)
            if not self._unlisted:
                self._synced.set()

    def _changed(self, kind: Kind, change: str, resource: Manifest) -> None:
        self._mark((self._cache.drop if change == "DELETED" else self._cache.put)(kind.name, resource))

    def _mark(self, concerned: set[Key]) -> None:
        for key in concerned:
            self._dirty(key)


async def _gone_on(request: ClientRequest, response: ClientResponse, handler: Handler) -> ClientResponse:
    """The answer after all where the API server no longer knows the place to go on from."""
    if isinstance(response, ParsedOnce) and "watch" in request.url.query:
        await response.tell_by_event()
        return response
    if "continue" not in request.url.query:
        return response
    # The rest of a list that took too long: it begins anew.
    response.release()
    request.url = request.url.without_query_params("continue")
    return await handler(request)


def _ask_for(request: ClientRequest, kind: Kind, watching: bool) -> None:
    if kind.watch is Watch.METADATA:
        what = "PartialObjectMetadata" if watching else "PartialObjectMetadataList"
        request.headers["Accept"] = _METADATA_ONLY.format(what)
