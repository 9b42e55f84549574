"""What Label Studio was seen to send gets answers that it can use, flow by flow."""

import base64
import copy
import json
import math
from pathlib import Path
from typing import Any

import pytest

RECORDED = Path(__file__).parent / "recorded"
FLOWS = sorted(path.stem for path in RECORDED.glob("*.json"))
# Where a flow shortened what it had shown before, the first full request of these flows stands for it.
FULL = {"/setup": "add_backend", "/predict": "open_task_rectangle", "/webhook": "train"}


def load(flow: str) -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads((RECORDED / f"{flow}.json").read_text())
    return recorded


def received(flow: str) -> list[dict[str, Any]]:
    """The requests of a flow, in order."""
    steps = load(flow)["steps"]
    return [request for step in steps for request in step.get("backend_received") or []]


def first_full(path: str) -> dict[str, Any]:
    return next(
        copy.deepcopy(request["body"])
        for request in received(FULL[path])
        if request["path"] == path and isinstance(request.get("body"), dict)
    )


def body_of(request: dict[str, Any]) -> dict[str, Any] | None:
    """The request's body, made whole where the recording shortened it."""
    if request["path"] not in FULL:
        return None
    given: Any = request.get("body")
    shortened = not isinstance(given, dict) or "..." in given
    body: dict[str, Any] = first_full(request["path"]) if shortened else copy.deepcopy(given)
    if shortened and isinstance(given, dict):
        body |= {key: value for key, value in given.items() if key != "..."}
    body |= {
        key: request[key] for key in ("extra_params", "params", "action", "annotation") if key in request
    }
    if "tasks" in body and request["path"] == "/predict":
        body["tasks"] = all_tasks(body["tasks"], request.get("tasks_in_request") or request.get("tasks"))
    return body


def all_tasks(tasks: list[Any], number: int | None) -> list[dict[str, Any]]:
    """As many tasks as Label Studio sent, like the ones that were kept."""
    kept = [task for task in tasks if isinstance(task, dict)]
    return [kept[index % len(kept)] | {"id": kept[0]["id"] + index} for index in range(number or len(kept))]


@pytest.mark.parametrize("flow", FLOWS)
async def test_flow(flow: str, serve: Any) -> None:
    async with serve() as server:
        for request in received(flow):
            await replay(server, request)


async def test_the_flow_with_a_password_is_answered_behind_it(serve: Any) -> None:
    async with serve(credentials=("alice", "s3cret")) as server:
        for request in received("basic_auth"):
            known = "Authorization" in request.get("headers", {})
            status = await status_of(server, request)
            assert (status == 401) is not known, request["path"]


async def status_of(server: Any, request: dict[str, Any]) -> int:
    headers = {"Content-Type": "application/json"}
    if "Authorization" in request.get("headers", {}):
        assert request["headers"]["Authorization"] == "Basic " + base64.b64encode(b"alice:s3cret").decode()
        headers["Authorization"] = request["headers"]["Authorization"]
    data = json.dumps(body_of(request)) if body_of(request) is not None else None
    method = request.get("method", "POST")
    async with server.client.request(method, server.url + request["path"], data=data, headers=headers) as got:
        return int(got.status)


async def replay(server: Any, request: dict[str, Any]) -> None:
    path, body = request["path"], body_of(request)
    status, answer = await (server.get(path) if body is None else server.post(path, body))
    assert 200 <= status < 300, (path, answer)
    assert isinstance(answer, dict)
    version = server.parts.services.slot.current.version
    match path:
        case "/health":
            assert answer["status"] == "UP"
        case "/setup":
            assert answer == {"model_version": version}
        case "/versions":
            assert answer == {"versions": [version]}
        case "/predict":
            assert body is not None
            check_prediction(body, answer, version)


def check_prediction(body: dict[str, Any], answer: dict[str, Any], version: str) -> None:
    """One item for each task, each of a shape that Label Studio stores or politely leaves out."""
    assert set(answer) == {"results"}
    assert len(answer["results"]) == len(body["tasks"])
    for task, item in zip(body["tasks"], answer["results"], strict=True):
        assert isinstance(item, dict)
        if task["data"]["image"].startswith("https://"):
            assert item == {}, "a host that is not allowed must not be asked"
            continue
        assert item["model_version"] == version
        assert 0 <= item["score"] <= 1
        assert math.isfinite(item["score"])
        assert item["result"], "the dummy finds something in each picture"
        for region in item["result"]:
            check_region(region, body["label_config"])


def check_region(region: dict[str, Any], label_config: str) -> None:
    assert region["id"]
    assert (region["original_width"], region["original_height"]) == (320, 240)
    assert region["image_rotation"] == 0
    assert f'name="{region["from_name"]}"' in label_config
    assert f'name="{region["to_name"]}"' in label_config
    value = region["value"]
    numbers = [value[key] for key in ("x", "y", "width", "height") if key in value]
    numbers += [number for point in value.get("points", []) for number in point]
    assert numbers
    assert all(0 <= number <= 100 for number in numbers)
    assert f'value="{value[region["type"]][0]}"' in label_config


@pytest.mark.parametrize("case", load("predict_malformed")["steps"], ids=lambda case: case["case"])
async def test_no_answer_of_ours_has_the_shape_of_a_malformed_one(case: dict[str, Any], serve: Any) -> None:
    """The recorded answers that lose predictions fail the check which all of ours pass."""
    body = first_full("/predict")
    async with serve() as server:
        version = server.parts.services.slot.current.version
        status, answer = await server.post("/predict", body)
    assert status == 200
    check_prediction(body, answer, version)
    given = json.loads(json.dumps(case["predict_answer"]).replace("stub-v1", version))
    if case["case"] in ("good", "setup without, prediction with model_version"):
        check_prediction(body, given, version)
    else:
        with pytest.raises((AssertionError, KeyError, TypeError)):
            check_prediction(body, given, version)
