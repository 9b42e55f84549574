"""A stand-in for the network between operator and API server: it counts requests and can spoil each."""

import asyncio
import base64
import ssl
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import yaml
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, TCPConnector, web
from cluster.kubeconfig import write_kubeconfig
from patience import PATIENCE
from yarl import URL

LEASES = "/leases"
_OF_ONE_CONNECTION = ("host", "connection", "transfer-encoding", "content-length", "keep-alive")


class Call:
    """One request of the operator: `number` counts from 1, leases left out (they have 0)."""

    def __init__(self, number: int, request: web.Request, body: bytes, network: "Network") -> None:
        self.number, self.request, self._body, self._network = number, request, body, network

    @property
    def watch(self) -> bool:
        """Whether its answer is a stream of events."""
        return "watch" in self.request.query

    @property
    def write(self) -> bool:
        """Whether it changes anything."""
        return self.request.method != "GET"

    async def ask(self) -> ClientResponse:
        """Hand it to the API server: what it asks for has been done when this returns."""
        return await self._network.forward(self.request, self._body)

    async def relay(self, answer: ClientResponse) -> web.StreamResponse:
        """Hand the whole answer back, piece by piece."""
        response = web.StreamResponse(status=answer.status, headers=_passed(answer))
        try:
            await response.prepare(self.request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            await response.write_eof()
        except (ClientError, ConnectionError):
            # Either side is gone, which it may be at any time.
            self.cut()
        finally:
            answer.close()
        return response

    def cut(self) -> None:
        """Drop the connection to the operator."""
        if self.request.transport is not None:
            self.request.transport.abort()

    def __str__(self) -> str:
        return f"{self.request.method} {self.request.path_qs}"


Treatment = Callable[[Call], Awaitable[web.StreamResponse]]
"""What becomes of a call."""


async def pass_on(call: Call) -> web.StreamResponse:
    """The treatment of a good network."""
    return await call.relay(await call.ask())


class Network:
    """Listens on 127.0.0.1 while the context lasts, and hands on what it hears as `treat` says."""

    def __init__(self, kubeconfig: Path, folder: Path, treat: Treatment = pass_on) -> None:
        known = yaml.safe_load(kubeconfig.read_text())
        cluster = known["clusters"][0]["cluster"]
        self.server: str = cluster["server"]
        self._authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._user: dict[str, str] = known["users"][0]["user"]
        self._folder = folder
        self.treat = treat
        self.calls: list[str] = []
        self.kubeconfig = folder / "kubeconfig"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Network":
        self._thread.start()
        port = self._run(self._start())
        # A token is sent in the clear here: it does not leave this machine.
        write_kubeconfig(self.kubeconfig, {"server": f"http://127.0.0.1:{port}"}, self._user)
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def forward(self, request: web.Request, body: bytes) -> ClientResponse:
        """Ask the API server in the operator's name."""
        headers = {name: value for name, value in request.headers.items() if _stays(name)}
        url = URL(self.server + request.raw_path, encoded=True)
        return await self._session.request(request.method, url, data=body or None, headers=headers)

    async def _start(self) -> int:
        context = ssl.create_default_context(cadata=self._authority)
        self._session = ClientSession(
            connector=TCPConnector(limit=0, ssl=context),
            timeout=ClientTimeout(total=None),
            auto_decompress=False,
        )
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return int(self._runner.addresses[0][1])

    async def _stop(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        number = 0
        if LEASES not in request.path:
            self.calls.append(f"{request.method} {request.path_qs}")
            number = len(self.calls)
        return await self.treat(Call(number, request, body, self))

    def _run(self, work: Awaitable[int | None]) -> int:
        return asyncio.run_coroutine_threadsafe(_awaited(work), self._loop).result(PATIENCE) or 0


async def _awaited(work: Awaitable[int | None]) -> int | None:
    return await work


def _stays(header: str) -> bool:
    return header.lower() not in _OF_ONE_CONNECTION


def _passed(answer: ClientResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if _stays(name)}
