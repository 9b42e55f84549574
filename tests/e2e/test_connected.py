"""A backend without training in a real Label Studio: connected, asked, overloaded, left alone, taken out."""

import threading
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from label_studio import PATIENT, RunningLabelStudio
from label_studio_admin import LabelStudioAdmin
from serving import ServingProcess, basic, until
from shapes import LABEL_CONFIG

from .conftest import PREDICT_LIMIT

DUMMY = {"model": {"task": "dummy"}}


def spec(project: int) -> dict[str, Any]:
    # Without the refresh after a roll-out, so that Label Studio asks when the test says so and only then.
    return {**DUMMY, "labelStudio": {"projects": [project]}, "prelabel": {"afterRollout": False}}


@pytest.fixture
def project(admin: LabelStudioAdmin) -> int:
    return admin.create_project("connected", LABEL_CONFIG)


def registered(admin: LabelStudioAdmin, project: int, one: ServingProcess) -> dict[str, Any]:
    """The backend's record in Label Studio, once `lsb serve` has put itself there."""
    found = until(
        lambda: [row for row in admin.backends(project) if str(one.port) in row["url"]],
        "registered",
    )
    assert len(found) == 1
    return found[0]


def boxes(predictions: list[dict[str, Any]]) -> list[str]:
    return [
        name for one in predictions for region in one["result"] for name in region["value"]["rectanglelabels"]
    ]


@pytest.mark.parametrize("kind", ["personal", "legacy"])
def test_a_task_that_is_opened_shows_boxes(
    kind: str,
    admin: LabelStudioAdmin,
    backend: Callable[..., ServingProcess],
    project: int,
    picture: Path,
    token: str,
) -> None:
    admin.allow_tokens(personal=True, legacy=kind == "legacy")
    key = token if kind == "personal" else admin.legacy_token()
    (task,) = admin.upload(project, [picture])
    one = backend(spec(project), key=key).start()
    record = registered(admin, project, one)
    assert record["model_version"] == one.version
    opened = admin.get(f"/api/tasks/{task}?project={project}")
    assert boxes(opened["predictions"]) == ["red"]
    assert opened["predictions"][0]["model_version"] == one.version
    # The labelling stream, too, with a task that nobody has opened.
    (second,) = admin.upload(project, [picture])
    admin.annotate(task, opened["predictions"][0]["result"])
    streamed = admin.get(f"/api/projects/{project}/next")
    assert streamed["id"] == second
    assert boxes(streamed["predictions"]) == ["red"]
    assert [len(admin.predictions(one)) for one in (task, second)] == [1, 1]


def test_a_legacy_token_that_is_switched_off_is_explained(
    admin: LabelStudioAdmin, backend: Callable[..., ServingProcess], project: int
) -> None:
    admin.allow_tokens(personal=True, legacy=False)
    one = backend(spec(project), key=admin.legacy_token()).start()
    until(lambda: "legacy" in one.log, "the log explains the token")
    assert admin.legacy_token() not in one.log


def test_basic_auth_covers_webhooks_too(
    admin: LabelStudioAdmin,
    backend: Callable[..., ServingProcess],
    project: int,
    picture: Path,
    tmp_path: Path,
) -> None:
    secret = tmp_path / "basic-auth"
    secret.write_text("label-studio:opensesame\n")
    one = backend(spec(project), "--basic-auth-file", str(secret)).start()
    one.authorization = basic("label-studio:opensesame")
    record = registered(admin, project, one)
    (task,) = admin.upload(project, [picture])
    assert boxes(admin.get(f"/api/tasks/{task}?project={project}")["predictions"]) == ["red"]
    (webhook,) = admin.webhooks(project)
    assert webhook["headers"] == {"Authorization": basic("label-studio:opensesame")}
    assert record["state"] == "CO"
    assert "opensesame" not in one.log


class SlowPictures(ThreadingHTTPServer):
    """Sends one picture under every name, but none before `seconds` after the first was asked for."""

    def __init__(self, picture: bytes, seconds: float) -> None:
        self.picture = picture
        self.seconds = seconds
        self.asked: list[str] = []
        self.release = threading.Event()
        self._first = threading.Lock()
        super().__init__(("127.0.0.1", 0), SlowPicture)

    def wait(self, path: str) -> None:
        """Note that `path` was asked for, and wait for its turn."""
        self.asked.append(path)
        if self._first.acquire(blocking=False):
            threading.Timer(self.seconds, self.release.set).start()
        self.release.wait()


class SlowPicture(BaseHTTPRequestHandler):
    """One request for a picture."""

    server: SlowPictures

    def do_GET(self) -> None:
        """Answer late."""
        self.server.wait(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.picture)))
        self.end_headers()
        self.wfile.write(self.server.picture)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def slow_pictures(picture: Path) -> Iterator[SlowPictures]:
    with SlowPictures(picture.read_bytes(), PREDICT_LIMIT + 4) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.release.set()
        server.shutdown()
        thread.join()


def predict_metric(one: ServingProcess, name: str) -> float:
    """A number that the backend counts of its answers to /predict."""
    with urllib.request.urlopen(f"{one.url}/metrics", timeout=60) as answer:
        lines = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines())
    return float(lines[f'lsbackend_request_seconds_{name}{{route="predict"}}'])


def test_a_thousand_tasks_in_one_request_outlast_the_time_limit(
    admin: LabelStudioAdmin,
    backend: Callable[..., ServingProcess],
    project: int,
    slow_pictures: SlowPictures,
) -> None:
    host = f"127.0.0.1:{slow_pictures.server_port}"
    images = [f"http://{host}/{number}.jpg" for number in range(1000)]
    tasks = admin.import_tasks(project, [{"data": {"image": image}} for image in images])
    manifest = spec(project)
    manifest["labelStudio"]["mediaHosts"] = [host]
    one = backend(manifest).start()
    registered(admin, project, one)
    admin.retrieve_predictions(project, tasks)
    # One request for all of them, on a connection that was kept alive past Label Studio's limit.
    assert predict_metric(one, "count") == 1
    assert predict_metric(one, "sum") > PREDICT_LIMIT
    assert len(slow_pictures.asked) == len(tasks) == 1000
    stored = admin.get(f"/api/tasks?project={project}&page_size=1000&fields=all")["tasks"]
    assert [len(row["predictions"]) for row in stored] == [1] * 1000
    assert {row["predictions"][0]["model_version"] for row in stored} == {one.version}


def test_the_model_version_survives_a_kill(
    admin: LabelStudioAdmin, backend: Callable[..., ServingProcess], project: int, picture: Path
) -> None:
    one = backend(spec(project)).start()
    first = one.version
    registered(admin, project, one)
    one.kill()
    one.start()
    assert one.version == first
    assert len(admin.webhooks(project)) == 1
    registered(admin, project, one)


def test_unregister_leaves_neither_backend_nor_webhook(
    admin: LabelStudioAdmin, backend: Callable[..., ServingProcess], project: int
) -> None:
    one = backend(spec(project)).start()
    registered(admin, project, one)
    one.lsb("unregister", "--port", str(one.port))
    assert admin.backends(project) == []
    assert admin.webhooks(project) == []


def test_label_studio_may_be_down_at_the_start_and_come_back(
    tmp_path: Path, picture: Path, backend: Callable[..., ServingProcess]
) -> None:
    with RunningLabelStudio(environment=PATIENT) as own:
        admin = LabelStudioAdmin(own.url, own.username, own.password)
        project = admin.create_project("down", LABEL_CONFIG)
        (task,) = admin.upload(project, [picture])
        key = admin.personal_token()
        own.pause()
        one = backend(spec(project), studio_url=own.url, key=key).start()
        until(lambda: own.url in one.log, "the log names the Label Studio that is missing")
        own.start()
        registered(admin, project, one)
        own.pause()
        # Label Studio's storage is gone while it asks for a prediction: that task fails alone.
        answer = one.ask("/predict", request(task, project, "/data/upload/1/missing.jpg"))
        assert answer == {"results": [{}]}
        own.start()
        assert boxes(admin.get(f"/api/tasks/{task}?project={project}")["predictions"]) == ["red"]


def request(task: int, project: int, image: str) -> dict[str, Any]:
    data = {"id": task, "data": {"image": image}, "project": project}
    return {"tasks": [data], "project": f"{project}.1", "label_config": LABEL_CONFIG, "params": {}}
