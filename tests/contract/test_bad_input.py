"""Bad input is refused in one line, and loses nothing."""

import asyncio
import json
import resource
import shutil
from typing import Any

import pytest

from lsb_backend.serve.body import LIMIT
from lsb_backend.serve.listener import bind
from lsb_backend.store.card import CardDraft
from lsb_crds.errors import UserError

CONFIG = (
    '<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">'
    '<Label value="cat"/></RectangleLabels></View>'
)
UPLOAD = "/data/upload/2/a17edccf-img.png"
GOOD = {"tasks": [{"id": 1, "data": {"image": UPLOAD}}], "project": "2.1", "label_config": CONFIG}
PATHS = ("/setup", "/predict", "/webhook")
MEGABYTE = 2**20


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff\xfe\x00", b'{"tasks": [}', b"[" * 200_000, b'{"n": ' + b"9" * 5000 + b"}"],
    ids=["empty", "cut off", "not UTF-8", "malformed", "nested too deep", "too many digits"],
)
async def test_what_is_not_json_is_400(serve: Any, path: str, data: bytes) -> None:
    async with serve() as server:
        status, answer = await server.post(path, data)
    assert status == 400
    assert "JSON" in answer["detail"]
    assert "\n" not in answer["detail"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/octet-stream"]
)
async def test_another_content_type_is_415(serve: Any, path: str, kind: str) -> None:
    async with serve() as server:
        status, answer = await server.post(path, json.dumps(GOOD), headers={"Content-Type": kind})
    assert status == 415
    assert "application/json" in answer["detail"]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"label_config": CONFIG}, "tasks"),
        ({"tasks": "x", "label_config": CONFIG}, "tasks"),
        ({"tasks": [1], "label_config": CONFIG}, "tasks.0"),
        ({"tasks": [{"id": 1, "data": "x"}], "label_config": CONFIG}, "tasks.0.data"),
        ({"tasks": []}, "label_config"),
        ([], "body"),
        (None, "body"),
    ],
)
async def test_a_body_of_another_form_is_422_and_names_the_field(serve: Any, body: Any, where: str) -> None:
    async with serve() as server:
        status, answer = await server.post("/predict", body)
    assert status == 422
    assert answer["detail"].startswith(where + ":")
    assert "\n" not in answer["detail"]


async def test_an_unusable_config_is_refused_and_the_next_request_is_fine(serve: Any) -> None:
    async with serve() as server:
        status, answer = await server.post("/predict", GOOD | {"label_config": "<View/>"})
        assert status == 422
        assert "label config" in answer["detail"]
        assert (await server.post("/predict", GOOD))[0] == 200


async def test_nan_in_a_request_is_read_as_nothing(serve: Any) -> None:
    text = json.dumps(GOOD | {"tasks": [{"id": 1, "data": {"image": UPLOAD, "ratio": float("nan")}}]})
    async with serve() as server:
        status, answer = await server.post("/predict", text)
    assert status == 200
    assert answer["results"][0]["result"]


async def test_one_bad_task_costs_the_others_nothing(serve: Any, studio: Any) -> None:
    gone = "/data/upload/2/gone.png"
    studio.missing.add(gone)
    tasks: list[dict[str, Any]] = [
        {"id": 1, "data": {"image": UPLOAD}},
        {"id": 2, "data": {"text": "no image here"}},
        {"id": 3, "data": {"image": gone}},
        {"id": 4, "data": {"image": 17}},
        {"id": 5, "data": {"image": "https://elsewhere.example/a.png"}},
        {"id": 6, "data": {"image": "data:image/png;base64,AAAA"}},
        {"id": 7, "project": 3, "data": {"image": UPLOAD}},
        {"data": {"image": UPLOAD}},
        {"id": 9, "data": {"image": UPLOAD}},
    ]
    async with serve() as server:
        status, answer = await server.post("/predict", GOOD | {"tasks": tasks})
    assert status == 200
    assert [bool(item) for item in answer["results"]] == [True, *[False] * 6, True, True]


async def test_no_tasks_is_no_results(serve: Any) -> None:
    async with serve() as server:
        assert await server.post("/predict", GOOD | {"tasks": []}) == (200, {"results": []})


async def test_half_a_surrogate_pair_costs_its_own_task_only(serve: Any, studio: Any) -> None:
    paths = [f"/data/upload/2/{name}.png" for name in ("half-\ud83d", "whole-\U0001f600", "\\ud83d")]
    tasks = [{"id": 1, "data": {"image": path}} for path in paths]
    async with serve() as server:
        studio.missing.add("/data/upload/2/half-\ufffd.png")
        _, answer = await server.post("/predict", GOOD | {"tasks": tasks})
    assert [bool(item) for item in answer["results"]] == [False, True, True]


@pytest.mark.parametrize(
    "tasks",
    ["{}," * 100_000 + "{}", "{}," * 1_000_000 + "{}", '{"data": {"x": [' + "[]," * 3_300_000 + "[]]}}"],
    ids=["tasks", "objects", "values"],
)
async def test_a_body_of_too_many_values_is_refused(serve: Any, tasks: str) -> None:
    async with serve() as server:
        status, _ = await server.post("/predict", f'{{"label_config": "<View/>", "tasks": [{tasks}]}}')
        assert status in (413, 422)
        assert (await server.get("/health"))[0] == 200


async def test_a_setup_has_a_limit_of_its_own(serve: Any) -> None:
    async with serve() as server:
        status, _ = await server.post("/setup", {"project": "1.1", "schema": " " * 2 * MEGABYTE})
    assert status == 413


async def test_a_webhook_too_long_to_be_read_is_a_hint(serve: Any) -> None:
    async with serve() as server:
        hint = server.parts.counting._hint
        assert not hint.is_set()
        event = {"action": "TASKS_CREATED", "tasks": ["x" * 17 * MEGABYTE]}
        assert await server.post("/webhook", event) == (200, {})
        assert hint.is_set()


@pytest.mark.parametrize("project", ["9\n2026-11-22 ERROR fake", "\x1b[31m", "9" * 5000, "x", None])
async def test_a_project_that_is_no_number_is_unknown(
    serve: Any, project: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve() as server:
        await server.post("/setup", {"project": project, "schema": "<View/>"})
        state = (await server.get("/status"))[1]
    assert list(state["setup_refusals"]) == ["unknown"]
    assert any("Project unknown cannot be connected" in line for line in caplog.messages)


@pytest.mark.parametrize("announced", [True, False], ids=["with its length", "in chunks"])
async def test_a_body_of_200_megabytes_is_refused_without_being_held(serve: Any, announced: bool) -> None:
    sent = 0

    async def chunks() -> Any:
        nonlocal sent
        for _ in range(200):
            sent += MEGABYTE
            yield b" " * MEGABYTE

    headers = {"Content-Type": "application/json"}
    if announced:
        headers["Content-Length"] = str(200 * MEGABYTE)
    async with serve() as server:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        status = await raw_status(server.url, headers, chunks())
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        assert status == 413
        assert grown < 2 * LIMIT
        assert sent < 200 * MEGABYTE
        assert (await server.get("/health"))[0] == 200


async def test_a_caller_that_reads_after_it_has_sent_all_is_told_why(serve: Any) -> None:
    async with serve() as server:
        host, port = server.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: {2 * LIMIT}\r\n"
        writer.write(f"{head}Content-Type: application/json\r\n\r\n".encode())
        for _ in range(2 * LIMIT // MEGABYTE):
            writer.write(b" " * MEGABYTE)
            await writer.drain()
        assert b" 413 " in await reader.readline()
        assert b"send fewer tasks in one request" in await reader.read()
        writer.close()


async def raw_status(url: str, headers: dict[str, str], chunks: Any) -> int:
    """The status of a POST whose sender stops when it is answered, as every HTTP library may."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    chunked = "Content-Length" not in headers
    head = headers | ({"Transfer-Encoding": "chunked"} if chunked else {}) | {"Host": host}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    writer.write(f"POST /predict HTTP/1.1\r\n{lines}\r\n".encode())
    answered = asyncio.create_task(reader.readline())
    try:
        async for chunk in chunks:
            writer.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" if chunked else chunk)
            await writer.drain()
            if answered.done():
                break
    except ConnectionError:
        pass
    status = int((await answered).split()[1])
    writer.close()
    return status


async def test_a_caller_that_hangs_up_in_the_middle_of_its_body_breaks_nothing(serve: Any) -> None:
    async with serve() as server:
        host, port = server.url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n"
            b"Content-Type: application/json\r\n\r\n{"
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert (await server.get("/health"))[0] == 200


@pytest.mark.parametrize(("path", "method", "status"), [("/train", "POST", 404), ("/predict", "GET", 405)])
async def test_an_unknown_path_or_method_is_one_line_of_json(
    serve: Any, path: str, method: str, status: int
) -> None:
    async with serve() as server:
        answer = await server.client.request(method, server.url + path)
        assert answer.status == status
        assert "\n" not in (await answer.json())["detail"]


async def test_our_own_fault_is_500_without_a_traceback(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with serve() as server:
        store = server.parts.services.store
        store.versions_folder = 0.5
        status, answer = await server.get("/versions")
    assert status == 500
    assert "Traceback" not in answer["detail"]
    assert "TypeError" in caplog.text


async def test_a_picture_outside_the_card_is_not_sent(serve: Any) -> None:
    async with serve() as server:
        version = server.parts.services.slot.current.version
        for name in (
            "card.json",
            "weights.pt",
            "../../store.json",
            "%2e%2e/%2e%2e/store.json",
            "/etc/passwd",
        ):
            answer = await server.client.get(f"{server.url}/pictures/{version}/{name}")
            assert answer.status == 404, name


async def test_a_picture_that_is_not_there_is_404_and_tells_nothing(serve: Any) -> None:
    async with serve() as server:
        store = server.parts.services.store
        with store.staging() as staging:
            (staging / "weights.pt").write_bytes(b"other")
            draft = CardDraft(task="dummy", classes=[], run="after-0", trained=True, plots=["gone.png"])
            listed = store.commit(staging, draft).version
        for version in (listed, "99-00000000", "x"):
            answer = await server.get(f"/pictures/{version}/gone.png")
            assert answer == (404, {"detail": "There is no such picture."})


async def test_a_damaged_promotion_is_told_on_the_status_and_the_page(serve: Any) -> None:
    async with serve() as server:
        (server.parts.services.store.root / "promoted.json").write_text("{")
        status, state = await server.get("/status")
        assert (status, state["promoted"]) == (200, None)
        assert "promoted.json" in state["store"]["message"]
        async with server.client.get(server.url + "/") as page:
            assert page.status == 200
            assert "promoted.json" in await page.text()


async def test_a_store_that_is_gone_is_told_on_the_page(serve: Any) -> None:
    async with serve() as server:
        served = server.parts.services.slot.current.version
        shutil.rmtree(server.parts.services.store.root)
        async with server.client.get(server.url + "/") as page:
            text = await page.text()
        setup = await server.post("/setup", {"project": "1.1", "schema": CONFIG})
    assert page.status == 200
    assert "versions: cannot be read" in text
    assert served in text
    assert setup == (200, {"model_version": served})


async def test_a_huge_refused_config_stays_small_on_the_status(serve: Any) -> None:
    labels = "".join(f'<Label value="label {number}"/>' for number in range(20_000))
    image = '<Image name="image" value="$image"/>'
    long = f'<View>{image}<RectangleLabels name="{"n" * 90_000}" toName="image">{labels}</RectangleLabels>'
    async with serve() as server:
        await server.post("/setup", {"project": "1.1", "schema": f"<View><X {'x' * 90_000}"})
        await server.post(
            "/setup", {"project": "2.1", "schema": long.replace("RectangleLabels", "Y") + "</View>"}
        )
        server.parts.services.status.note_unmatched("3", ["x" * 5000] * 20_000, ["y"] * 20_000)
        state = (await server.get("/status"))[1]
    assert list(state["setup_refusals"]) == ["1", "2"]
    assert len(json.dumps(state)) < 10_000


def test_a_port_in_use_is_explained_in_one_line() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"Port {port} is in use.*--port {port + 1}"):
            bind("127.0.0.1", port)


def test_an_address_of_another_machine_is_explained() -> None:
    with pytest.raises(UserError, match="--host"):
        bind("192.0.2.1", 0)
