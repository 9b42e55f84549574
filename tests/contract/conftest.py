"""The real application on a real socket, with the dummy model, beside something that plays Label Studio."""

import asyncio
import hashlib
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import cv2
import numpy as np
import pytest
from aiohttp import web

from lsb_backend.serve.app import create_app
from lsb_backend.serve.keepalive import Pace
from lsb_backend.serve.listener import Listener, bind
from lsb_backend.serve.options import Options
from lsb_backend.serve.parts import Parts, assemble
from lsb_backend.store.store import Store
from lsb_backend.training.prepare import prepare
from lsb_backend.training.progress import JsonLines
from lsb_crds.backend import LabelStudioBackend

WIDTH, HEIGHT = 320, 240
TOKEN = "a" * 40


@dataclass
class Studio:
    """The endpoints of Label Studio that a prediction needs; images are 320 x 240, each path has its own."""

    url: str = ""
    exports: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    hold: asyncio.Event | None = None
    asked: list[str] = field(default_factory=list)

    async def image(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if request.headers.get("Authorization") != f"Token {TOKEN}":
            return web.json_response({"detail": "no"}, status=401)
        if self.hold is not None:
            await self.hold.wait()
        if request.path in self.missing:
            # This is what the real one answers for an upload that is not there.
            return web.json_response({"detail": "FileNotFoundError"}, status=500)
        pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        pixels[0, 0] = list(hashlib.sha256(request.path.encode()).digest()[:3])
        encoded = cv2.imencode(".png", pixels)[1]
        return web.Response(body=encoded.tobytes(), content_type="image/png")


@dataclass
class Server:
    """A backend that answers on `url`."""

    url: str
    parts: Parts
    client: aiohttp.ClientSession

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.client.get(self.url + path) as answer:
            return answer.status, await answer.json()

    async def post(self, path: str, body: Any, **options: Any) -> tuple[int, Any]:
        """Status and JSON; a body that is not text is sent as JSON."""
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        options.setdefault("headers", {"Content-Type": "application/json"})
        async with self.client.post(self.url + path, data=data, **options) as answer:
            return answer.status, json.loads(await answer.text(), parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} in an answer")


Serve = Callable[..., Any]


@pytest.fixture
async def studio() -> AsyncIterator[Studio]:
    """Label Studio's media on a free port."""
    played = Studio()
    app = web.Application()
    app.router.add_get("/data/{rest:.*}", played.image)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    played.url = f"http://{host}:{port}"
    yield played
    await runner.cleanup()


@pytest.fixture
def backend(studio: Studio) -> LabelStudioBackend:
    """A manifest with the dummy task."""
    return LabelStudioBackend.model_validate(
        {
            "metadata": {"name": "cats"},
            "spec": {"labelStudio": {"url": studio.url}, "model": {"task": "dummy"}},
        }
    )


@pytest.fixture
def serve(backend: LabelStudioBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """`async with serve(...) as server`, with or without a model, a prefix and a password."""
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", TOKEN)

    @asynccontextmanager
    async def serving(
        *,
        loaded: bool = True,
        pace: Pace | None = None,
        root_path: str = "",
        credentials: tuple[str, str] | None = None,
        manifest: LabelStudioBackend = backend,
    ) -> AsyncIterator[Server]:
        store = Store.open(tmp_path / "store")
        if loaded:
            prepare(manifest, store, JsonLines(sys.stderr))
        options = Options(
            tmp_path / "backend.yaml", manifest, store.root, "127.0.0.1", 0, root_path=root_path
        )
        socket = bind("127.0.0.1", 0)
        async with assemble(options, socket.getsockname()[1]) as parts, aiohttp.ClientSession() as client:
            services = replace(parts.services, pace=pace or Pace())
            await parts.rollout.follow()
            listener = Listener(create_app(services, root_path=root_path, credentials=credentials), socket)
            running = asyncio.create_task(listener.run_until_stopped())
            await listener.answering.wait()
            yield Server(f"http://127.0.0.1:{listener.port}", parts, client)
            listener.stop()
            await running

    return serving
