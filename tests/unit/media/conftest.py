"""Web servers for the tests of fetching: one stands where Label Studio is, others elsewhere."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest
import stamina
from aiohttp import web
from aiohttp.test_utils import TestServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable["Recorder"]]


class Recorder:
    """A server that notes the path and the Authorization of each request it gets."""

    def __init__(self, handler: Handler) -> None:
        self.seen: list[tuple[str, str | None]] = []
        self._handler = handler
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._handle)
        self.server = TestServer(app)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.raw_path, request.headers.get("Authorization")))
        return await self._handler(request)

    @property
    def url(self) -> str:
        """Its address without a slash at the end."""
        return str(self.server.make_url("")).rstrip("/")

    @property
    def host(self) -> str:
        """Its host and port."""
        return f"{self.server.host}:{self.server.port}"


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start servers, each with one handler for all paths."""
    async with AsyncExitStack() as stack:

        async def start(handler: Handler) -> Recorder:
            recorder = Recorder(handler)
            await recorder.server.start_server()
            stack.push_async_callback(recorder.server.close)
            return recorder

        yield start


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Repeat as often as outside of tests, but at once."""
    stamina.set_testing(True, attempts=10, cap=True)
    yield
    stamina.set_testing(False)
