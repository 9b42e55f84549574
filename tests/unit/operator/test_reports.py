"""What serving pods are asked, how often, and what is made of odd answers."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from lsb_operator.facts import Served
from lsb_operator.reports import FRESH, LATEST, Report, Reports

KEY = ("studio", "cats")
OLD, NEW = "1-0a1b2c3d", "2-4e5f6a7b"


class Pod:
    """A serving pod's status port."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: Any = {"model": {"version": OLD}}

    async def status(self, _: web.Request) -> web.StreamResponse:
        self.asked += 1
        return self.answer if isinstance(self.answer, web.Response) else web.json_response(self.answer)


@pytest.fixture
def pod() -> Pod:
    return Pod()


@pytest.fixture
async def port(pod: Pod) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_get("/status", pod.status)
    async with TestServer(app, host="127.0.0.1") as server:
        assert server.port is not None
        yield server.port


@pytest.fixture
async def reports(port: int) -> AsyncIterator[Reports]:
    async with ClientSession() as session:
        yield Reports(session, port)


def _manifest(name: str = "cats-1", ready: bool = True, component: str = "serve") -> dict[str, Any]:
    return {
        "metadata": {"name": name, "uid": name, "labels": {"app.kubernetes.io/component": component}},
        "status": {
            "podIP": "127.0.0.1",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        },
    }


async def test_a_pod_says_which_version_it_serves(reports: Reports) -> None:
    said, later = await reports.ask(KEY, [_manifest()], OLD)
    assert said == {"cats-1": Served(OLD)}
    assert later is None


async def test_a_pod_that_serves_the_target_is_not_asked_again_soon(reports: Reports, pod: Pod) -> None:
    for _ in range(3):
        await reports.ask(KEY, [_manifest()], OLD)
    assert pod.asked == 1


async def test_another_target_is_asked_after_at_once_and_looked_at_again(reports: Reports, pod: Pod) -> None:
    await reports.ask(KEY, [_manifest()], OLD)
    _, later = await reports.ask(KEY, [_manifest()], NEW)
    assert later is not None
    assert later < 5


@pytest.mark.parametrize("manifest", [_manifest(ready=False), _manifest(component="train")])
async def test_only_ready_serving_pods_are_asked(
    reports: Reports, pod: Pod, manifest: dict[str, Any]
) -> None:
    assert await reports.ask(KEY, [manifest], OLD) == ({}, None)
    assert pod.asked == 0


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(status=500),
        web.Response(text="no JSON"),
        web.Response(text="[]"),
        web.Response(text='{"model": 3}'),
        web.Response(text='{"model": "' + "x" * 300_000 + '"}'),
        web.Response(status=302, headers={"Location": "/status"}),
    ],
    ids=["error", "text", "list", "form", "long", "redirect"],
)
async def test_an_odd_answer_is_none(reports: Reports, pod: Pod, answer: web.Response) -> None:
    pod.answer = answer
    said, later = await reports.ask(KEY, [_manifest()], OLD)
    assert said == {}
    assert later is not None


async def test_a_pod_that_cannot_be_reached_is_none() -> None:
    async with ClientSession() as session:
        said, _ = await Reports(session, 1).ask(KEY, [_manifest()], OLD)
    assert said == {}


def test_a_pod_that_stays_behind_is_asked_ever_more_rarely() -> None:
    delays = [Report(Served(OLD), 0.0, times).due(NEW) for times in range(1, 9)]
    assert delays[:3] == [2.0, 4.0, 8.0]
    assert delays[-1] == LATEST
    assert Report(Served(NEW), 0.0).due(NEW) == FRESH
