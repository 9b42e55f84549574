"""What each endpoint promises beyond the recorded flows."""

import asyncio
import json
import threading
from typing import Any

import numpy as np
import pytest

from lsb_backend.detection import Detection, Parameters
from lsb_backend.predict.slot import Served
from lsb_backend.serve.keepalive import Pace

CONFIG = (
    '<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">'
    '<Label value="cat"/></RectangleLabels></View>'
)
SETUP = {"project": "2.1795339481", "schema": CONFIG, "hostname": "http://x", "access_token": "TOKEN"}


def request_for(*values: Any, project: str = "2.1795339481", **more: Any) -> dict[str, Any]:
    tasks = [{"id": number, "project": 2, "data": {"image": value}} for number, value in enumerate(values, 1)]
    return {"tasks": tasks, "project": project, "label_config": CONFIG, "params": None} | more


UPLOAD = "/data/upload/2/a17edccf-img.png"


class GatedRuntime:
    """A model that is busy until it is told to go on."""

    device = "gate"
    names: tuple[str, ...] = ()
    workers = 1
    batch = 4

    def __init__(self) -> None:
        self.busy = threading.Event()
        self.go_on = threading.Event()
        self.seen = 0

    def prepare(self, image: Any, parameters: Parameters) -> Any:
        return image

    def predict(self, images: list[Any], parameters: Parameters) -> list[list[Detection]]:
        self.busy.set()
        self.go_on.wait()
        self.seen += len(images)
        return [[Detection(0, 0.5, (1.0, 1.0, 9.0, 9.0))] for _ in images]

    def close(self) -> None:
        self.go_on.set()


def swap(server: Any, runtime: Any, version: str | None = None) -> None:
    current = server.parts.services.slot.current
    server.parts.services.slot.swap(Served(version or current.version, runtime, current.card, runtime.names))


async def test_before_there_is_a_model_health_is_up_and_the_rest_says_when_to_ask_again(serve: Any) -> None:
    async with serve(loaded=False) as server:
        assert await server.get("/health") == (200, {"status": "UP", "model_version": None})
        for path, body in (("/setup", SETUP), ("/predict", request_for(UPLOAD))):
            async with server.client.post(server.url + path, json=body) as answer:
                assert answer.status == 503
                assert int(answer.headers["Retry-After"]) > 0
        assert (await server.get("/readyz"))[0] == 503
        assert (await server.get("/livez"))[0] == 200
        assert (await server.post("/webhook", {"action": "PROJECT_UPDATED"}))[0] == 200


@pytest.mark.parametrize("extra", [None, "", "text", '{"conf": 0.3}', {"conf": 0.25}, [1], 7])
async def test_setup_takes_any_extra_params(serve: Any, extra: Any) -> None:
    async with serve() as server:
        status, answer = await server.post("/setup", SETUP | {"extra_params": extra})
    assert status == 200
    assert answer["model_version"]


@pytest.mark.parametrize(
    "config",
    ["", "<View/>", "<View", "not xml", '<View><Text name="t" value="$t"/></View>'],
)
async def test_setup_refuses_an_unusable_config_and_keeps_the_reason(serve: Any, config: str) -> None:
    async with serve() as server:
        status, answer = await server.post("/setup", SETUP | {"schema": config})
        state = (await server.get("/status"))[1]
        assert status == 422
        assert "\n" not in answer["detail"]
        assert state["setup_refusals"]["2"]["message"] == answer["detail"]
        await server.post("/setup", SETUP)
        assert (await server.get("/status"))[1]["setup_refusals"] == {}


async def test_hostname_and_token_of_a_setup_are_never_used(serve: Any, studio: Any) -> None:
    async with serve() as server:
        await server.post("/setup", SETUP | {"hostname": "http://attacker.example", "access_token": "stolen"})
        _, answer = await server.post("/predict", request_for(UPLOAD))
    assert answer["results"][0]["result"]
    assert studio.asked == [UPLOAD]


@pytest.mark.parametrize(
    "event",
    [
        {"action": "ANNOTATION_CREATED", "annotation": {"id": 1}, "project": {"id": 99}},
        {"action": "SOMETHING_NEW"},
        {"action": None},
        {"action": ["x"]},
        {},
        [],
        "text",
        None,
        7,
    ],
)
async def test_any_webhook_is_answered_with_an_object(serve: Any, event: Any) -> None:
    async with serve() as server:
        assert await server.post("/webhook", json.dumps(event)) == (200, {})


def with_task(backend: Any, task: str, **training: Any) -> Any:
    spec = {
        "labelStudio": {"url": backend.spec.label_studio.url},
        "model": {"task": task},
        "training": training,
    }
    return type(backend).model_validate({"metadata": {"name": "cats"}, "spec": spec})


async def test_start_training_twice_is_one_job(serve: Any, backend: Any) -> None:
    async with serve(loaded=False, manifest=with_task(backend, "detect")) as server:
        event = {"action": "START_TRAINING", "project": {"id": 2}}
        first, second = [await server.post("/webhook", event) for _ in range(2)]
    assert first == second
    assert first[0] == 200
    assert first[1]["job"] == "after-0"


async def test_a_refused_training_is_2xx_and_told_on_the_status(serve: Any, backend: Any) -> None:
    manifest = with_task(backend, "detect", triggers={"button": False})
    async with serve(loaded=False, manifest=manifest) as server:
        status, answer = await server.post("/webhook", {"action": "START_TRAINING", "project": {"id": 2}})
        state = (await server.get("/status"))[1]
        page = await (await server.client.get(server.url + "/")).text()
    assert status == 200
    assert answer["job"] is None
    assert "triggers.button" in state["training_refused"]["message"]
    assert "triggers.button" in page


@pytest.mark.parametrize("task", ["dummy", "obb", "classify", "pose"])
async def test_what_cannot_be_trained_leaves_no_run(serve: Any, backend: Any, task: str) -> None:
    async with serve(loaded=False, manifest=with_task(backend, task)) as server:
        status, answer = await server.post("/webhook", {"action": "START_TRAINING", "project": {"id": 2}})
        state = (await server.get("/status"))[1]
        assert list(server.parts.services.store.runs.iterdir()) == []
    assert (status, answer["job"]) == (200, None)
    assert f"model.task {task} cannot be trained" in state["training_refused"]["message"]


async def test_versions_are_newest_first(serve: Any) -> None:
    async with serve() as server:
        store = server.parts.services.store
        from lsb_backend.store.card import CardDraft

        with store.staging() as staging:
            (staging / "weights.pt").write_bytes(b"other")
            newer = store.commit(staging, CardDraft(task="dummy", classes=[], run="after-0", trained=True))
        _, answer = await server.get("/versions")
    assert answer["versions"][0] == newer.version
    assert len(answer["versions"]) == 2


async def test_setup_and_predict_change_their_version_at_one_moment(serve: Any) -> None:
    async with serve() as server:
        runtime = server.parts.services.slot.current.runtime
        for version in ("1-11111111", "2-22222222"):
            swap(server, runtime, version)
            assert (await server.post("/setup", SETUP))[1]["model_version"] == version
            item = (await server.post("/predict", request_for(UPLOAD)))[1]["results"][0]
            assert item["model_version"] == version


async def test_a_request_begun_before_a_swap_is_answered_by_one_version(serve: Any) -> None:
    async with serve() as server:
        gate = GatedRuntime()
        old = server.parts.services.slot.current
        swap(server, gate, "1-11111111")
        asked = asyncio.create_task(server.post("/predict", request_for(UPLOAD, UPLOAD, UPLOAD)))
        await asyncio.to_thread(gate.busy.wait)
        swap(server, old.runtime, "2-22222222")
        gate.go_on.set()
        _, answer = await asked
    assert {item["model_version"] for item in answer["results"]} == {"1-11111111"}


async def test_health_and_setup_answer_while_the_model_is_busy(serve: Any) -> None:
    async with serve() as server:
        gate = GatedRuntime()
        swap(server, gate)
        asked = asyncio.create_task(server.post("/predict", request_for(UPLOAD)))
        await asyncio.to_thread(gate.busy.wait)
        assert (await server.get("/health"))[0] == 200
        assert (await server.post("/setup", SETUP))[0] == 200
        assert not asked.done()
        gate.go_on.set()
        assert (await asked)[0] == 200


async def test_a_long_predict_is_kept_alive_by_spaces(serve: Any) -> None:
    async with serve(pace=Pace(patience=0.01, interval=0.01)) as server:
        gate = GatedRuntime()
        swap(server, gate)
        async with server.client.post(server.url + "/predict", json=request_for(UPLOAD)) as answer:
            assert answer.status == 200
            assert answer.content_type == "application/json"
            assert await answer.content.readexactly(3) == b"   "
            gate.go_on.set()
            assert len(json.loads(await answer.read())["results"]) == 1


async def test_a_caller_that_leaves_is_not_worked_for(serve: Any, until: Any) -> None:
    async with serve() as server:
        gate = GatedRuntime()
        swap(server, gate)
        fifty = [f"/data/upload/2/{number:08x}-img.png" for number in range(50)]
        asked = asyncio.create_task(server.post("/predict", request_for(*fifty)))
        await asyncio.to_thread(gate.busy.wait)
        asked.cancel()
        running = server.parts.services.predictor.admission
        await until(lambda: running.waiting == 0)
        gate.go_on.set()
        assert (await server.post("/predict", request_for(UPLOAD)))[0] == 200
        assert gate.seen < 50


async def test_too_many_requests_are_told_when_to_come_back(serve: Any, until: Any) -> None:
    async with serve() as server:
        gate = GatedRuntime()
        swap(server, gate)
        admission = server.parts.services.predictor.admission
        asked = [asyncio.create_task(server.post("/predict", request_for(UPLOAD))) for _ in range(64)]
        await until(lambda: len(admission.running) == 64)
        async with server.client.post(server.url + "/predict", json=request_for(UPLOAD)) as answer:
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) > 0
        gate.go_on.set()
        assert {status for status, _ in await asyncio.gather(*asked)} == {200}


async def test_a_smart_tool_always_gets_an_object_with_a_result(serve: Any, studio: Any) -> None:
    studio.missing.add(UPLOAD)
    params: dict[str, Any] = {"login": None, "password": None, "context": {"result": []}}
    async with serve() as server:
        _, answer = await server.post("/predict", request_for(UPLOAD, params=params))
        assert answer["results"] == [{"result": [], "score": 0.0}]
        _, answer = await server.post("/predict", request_for(UPLOAD))
        assert answer["results"] == [{}]


async def test_everything_is_served_below_the_prefix_too(serve: Any) -> None:
    async with serve(root_path="/cats") as server:
        for path in ("/cats/health", "/health", "/cats/versions", "/cats/status", "/cats/livez"):
            assert (await server.get(path))[0] == 200
        assert (await server.post("/cats/setup", SETUP))[0] == 200
        assert (await server.client.get(server.url + "/cats/")).status == 200
        assert (await server.client.get(server.url + "/dogs/health")).status == 404
        assert (await server.client.get(server.url + "/catshealth")).status == 404


async def test_a_webhook_without_the_password_is_refused(serve: Any) -> None:
    async with serve(credentials=("alice", "s3cret"), root_path="/cats") as server:
        for path in ("/webhook", "/cats/webhook"):
            assert (await server.post(path, {"action": "START_TRAINING"}))[0] == 401
        assert (await server.get("/cats/livez"))[0] == 200
        assert list(server.parts.services.store.runs.iterdir()) == []


async def test_pages_and_metrics_are_there(serve: Any) -> None:
    async with serve() as server:
        await server.post("/predict", request_for(UPLOAD, "https://elsewhere.example/a.png"))
        text = await (await server.client.get(server.url + "/metrics")).text()
        page = await (await server.client.get(server.url + "/")).text()
    assert 'lsbackend_tasks_total{outcome="predicted"} 1.0' in text
    assert 'lsbackend_requests_total{route="predict",status="200"} 1.0' in text
    assert server.parts.services.slot.current.version in page
    assert "<script" not in page


async def test_callers_at_once_share_one_inference_and_the_metrics_say_how_often(
    serve: Any, until: Any
) -> None:
    async with serve() as server:
        runtime = GatedRuntime()
        swap(server, runtime)
        asked = [asyncio.create_task(server.post("/predict", request_for(UPLOAD))) for _ in range(3)]
        lookups = server.parts.engine.statistics.lookups
        await until(lambda: lookups["joined"] == 2)
        runtime.go_on.set()
        answers = [await one for one in asked]
        answers.append(await server.post("/predict", request_for(UPLOAD)))
        text = await (await server.client.get(server.url + "/metrics")).text()
    assert all(status == 200 and answer["results"][0] for status, answer in answers)
    assert runtime.seen == 1
    for how, number in (("computed", 1), ("joined", 2), ("remembered", 1)):
        assert f'lsbackend_lookups_total{{how="{how}"}} {number}.0' in text


async def test_no_secret_is_in_the_status(serve: Any) -> None:
    from_environment = "a" * 40
    async with serve() as server:
        await server.post("/setup", SETUP | {"access_token": "b" * 40})
        state = json.dumps((await server.get("/status"))[1])
    assert from_environment not in state
    assert "b" * 40 not in state


async def test_a_figure_json_has_no_word_for_costs_its_own_task_only(serve: Any) -> None:
    class Mad(GatedRuntime):
        def predict(self, images: list[Any], parameters: Parameters) -> list[list[Detection]]:
            nan, inf = float("nan"), float("inf")
            return [
                [Detection(0, nan, (nan, -inf, inf, 1.0), np.full((4, 2), nan, np.float32))] for _ in images
            ]

    async with serve() as server:
        swap(server, Mad())
        status, answer = await server.post("/predict", request_for(UPLOAD, UPLOAD))
    assert status == 200
    assert len(answer["results"]) == 2


async def test_swaps_under_constant_load_fail_no_request_and_mix_no_answer(serve: Any) -> None:
    async with serve() as server:
        runtime = server.parts.services.slot.current.runtime
        versions = [f"{number}-{number:08x}" for number in range(1, 11)]
        swapped_all = asyncio.Event()

        async def load() -> list[tuple[int, Any]]:
            answers = []
            while not swapped_all.is_set():
                answers.append(await server.post("/predict", request_for(*[UPLOAD] * 3)))
            return answers

        callers = [asyncio.create_task(load()) for _ in range(4)]
        for version in versions:
            swap(server, runtime, version)
            await server.post("/predict", request_for(UPLOAD))
        swapped_all.set()
        answers = [answer for caller in callers for answer in await caller]
    assert {status for status, _ in answers} == {200}
    for _, answer in answers:
        assert len({item["model_version"] for item in answer["results"]}) == 1
    assert len({answer["results"][0]["model_version"] for _, answer in answers}) > 1
