"""`lsb serve` as a process: how it starts, what it says, and how it stops."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from lsb_backend.serve.listener import bind, reaches_this_machine_only
from lsb_backend.store.store import Store
from lsb_backend.triggers.request import Reason, ask

CONFIG = (
    '<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">'
    '<Label value="cat"/></RectangleLabels></View>'
)


class Server:
    """A process that serves; `lines` is what it has said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self.url = ""

    async def until_said(self, pattern: str) -> "re.Match[str]":
        """Read its log up to a line that matches."""
        assert self.process.stderr is not None
        while line := (await self.process.stderr.readline()).decode():
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"{pattern} was not said:\n{''.join(self.lines)}")

    async def ended(self) -> int:
        """Its exit code; what it says until then is kept."""
        assert self.process.stderr is not None
        self.lines += (await self.process.stderr.read()).decode().splitlines(keepends=True)
        return await self.process.wait()

    async def status(self) -> Any:
        async with aiohttp.ClientSession() as client, client.get(f"{self.url}/status") as answer:
            return await answer.json()


def manifest(folder: Path, url: str = "http://127.0.0.1:9", **spec: Any) -> Path:
    file = folder / "backend.yaml"
    document = {
        "apiVersion": "lsbackends.dev/v1alpha1",
        "kind": "LabelStudioBackend",
        "metadata": {"name": "cats"},
        "spec": {"labelStudio": {"url": url}, "model": {"task": "dummy"}, **spec},
    }
    # JSON is YAML.
    file.write_text(json.dumps(document))
    return file


@asynccontextmanager
async def started(file: Path, *arguments: str, port: int = 0) -> AsyncIterator[Server]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lsb_cli", "serve", "-f", str(file), "--store", str(file.parent / "store")),
        *("--host", "127.0.0.1", "--port", str(port), *arguments),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "LABEL_STUDIO_API_KEY": "a" * 40},
    )
    server = Server(process)
    try:
        yield server
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def serving(file: Path, *arguments: str) -> AsyncIterator[Server]:
    """A server with a loaded model."""
    async with started(file, *arguments) as server:
        server.url = f"http://127.0.0.1:{(await server.until_said(r'localhost:([0-9]+)/'))[1]}"
        await server.until_said("serves on")
        yield server


async def test_sigterm_finishes_the_request_that_is_under_way(tmp_path: Path) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def image(_: web.Request) -> web.Response:
        asked.set()
        await go_on.wait()
        return web.Response(status=404)

    async with media_server(image) as url, serving(manifest(tmp_path, url)) as server:
        body = {"tasks": [{"id": 1, "data": {"image": "/data/upload/1/a.png"}}], "label_config": CONFIG}
        async with aiohttp.ClientSession() as client:
            request = asyncio.create_task(client.post(f"{server.url}/predict", json=body))
            await asked.wait()
            server.process.send_signal(signal.SIGTERM)
            await server.until_said("Stopping")
            go_on.set()
            answer = await request
            assert answer.status == 200
            assert await answer.json() == {"results": [{}]}
        assert await server.ended() == 0


async def test_a_second_ctrl_c_waits_for_nothing(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def never(_: web.Request) -> web.Response:
        asked.set()
        await asyncio.Event().wait()
        return web.Response()

    async with media_server(never) as url, serving(manifest(tmp_path, url)) as server:
        body = {"tasks": [{"id": 1, "data": {"image": "/data/upload/1/a.png"}}], "label_config": CONFIG}
        async with aiohttp.ClientSession() as client:
            request = asyncio.create_task(client.post(f"{server.url}/predict", json=body))
            await asked.wait()
            server.process.send_signal(signal.SIGINT)
            await server.until_said("Stopping")
            assert server.process.returncode is None
            server.process.send_signal(signal.SIGINT)
            assert await server.ended() == 130
            with pytest.raises(aiohttp.ClientError):
                await request


@asynccontextmanager
async def media_server(handler: Callable[[web.Request], Any]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/data/{rest:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        async with started(manifest(tmp_path), port=port) as server:
            assert await server.ended() == 1
    assert len(server.lines) == 1
    assert server.lines[0].startswith(f"error: Port {port} is in use")
    assert f"--port {port + 1}" in server.lines[0]


async def test_one_port_for_two_servers_is_one_line(tmp_path: Path) -> None:
    with bind("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    async with started(manifest(tmp_path), "--metrics-port", str(port), port=port) as server:
        assert await server.ended() == 1
    assert server.lines == [
        f"error: --port and --metrics-port are both {port}: give each a port of its own\n"
    ]


@pytest.mark.parametrize(
    ("host", "alone"), [("localhost", True), ("::1", True), ("127.0.0.2", True), ("0.0.0.0", False)]
)
def test_a_port_is_open_to_others_by_its_address_not_its_name(host: str, alone: bool) -> None:
    with bind(host, 0) as listener:
        assert reaches_this_machine_only(listener) is alone


async def test_only_an_open_port_is_warned_of(tmp_path: Path) -> None:
    for host, warned in (("localhost", False), ("0.0.0.0", True)):
        async with serving(manifest(tmp_path), "--host", host) as server:
            assert ("start trainings" in "".join(server.lines)) is warned


async def test_a_store_of_a_newer_release_is_one_line(tmp_path: Path) -> None:
    file = manifest(tmp_path)
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "store.json").write_text('{"format": 99}')
    async with started(file) as server:
        assert await server.ended() == 1
    assert len(server.lines) == 1
    assert "newer release" in server.lines[0]


async def test_weights_that_are_not_there_end_it_with_the_reason(tmp_path: Path) -> None:
    file = manifest(tmp_path, model={"task": "detect", "weights": str(tmp_path / "gone.pt")})
    async with started(file) as server:
        assert await server.ended() == 1
    assert "gone.pt" in server.lines[-1]
    assert server.lines[-1].startswith("error: ")
    assert "Traceback" not in "".join(server.lines)


async def test_label_studio_down_at_the_start_is_said_and_predictions_are_served(tmp_path: Path) -> None:
    with bind("127.0.0.1", 0) as closed:
        port = closed.getsockname()[1]
    async with serving(manifest(tmp_path, f"http://127.0.0.1:{port}")) as server:
        await server.until_said("tried again until it works")
        state = await server.status()
        assert str(port) in state["label_studio"]["message"]
        assert state["model"]["version"]


async def test_with_a_port_for_metrics_the_status_is_there_and_only_there(tmp_path: Path) -> None:
    with bind("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    file = manifest(tmp_path)
    async with serving(file, "--metrics-port", str(port)) as server, aiohttp.ClientSession() as client:
        for path in ("/status", "/metrics"):
            assert (await client.get(server.url + path)).status == 404
            assert (await client.get(f"http://127.0.0.1:{port}{path}")).status == 200
        assert (await client.get(f"http://127.0.0.1:{port}/webhook")).status == 404


async def test_the_served_version_survives_a_restart_and_a_pin_is_followed(tmp_path: Path) -> None:
    file = manifest(tmp_path)
    versions = []
    for _ in range(2):
        async with serving(file) as server:
            versions.append((await server.status())["model"]["version"])
            server.process.send_signal(signal.SIGTERM)
            assert await server.ended() == 0
    assert versions[0] == versions[1]


async def test_a_training_that_was_asked_for_runs_as_a_child_and_its_failure_is_told(tmp_path: Path) -> None:
    # Asked for before the manifest was changed to a task that cannot be trained.
    ask(Store.open(tmp_path / "store"), Reason.BUTTON)
    async with serving(manifest(tmp_path)) as server:
        await server.until_said("Training after-0 ended")
        assert "dummy" in (await server.status())["last_training"]
