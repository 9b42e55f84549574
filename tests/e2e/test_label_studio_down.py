"""Label Studio goes down while a training reads its images."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import shapes
from label_studio import PATIENT, RunningLabelStudio
from label_studio_admin import LabelStudioAdmin
from serving import ServingProcess, until

from lsb_backend.dataset.build import WORKERS

UPLOADED = 4
PICTURES = WORKERS + UPLOADED


class Gate:
    """A server of pictures in `folder` that sends none before it is opened."""

    def __init__(self, folder: Path) -> None:
        self.asked, self._open = threading.Event(), threading.Event()
        asked, is_open = self.asked, self._open

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments: Any) -> None:
                super().__init__(*arguments, directory=str(folder))

            def do_GET(self) -> None:
                asked.set()
                is_open.wait()
                super().do_GET()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever).start()

    def open(self) -> None:
        self._open.set()

    def close(self) -> None:
        self.open()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def studio() -> Iterator[RunningLabelStudio]:
    """A Label Studio of one's own, that may go down."""
    with RunningLabelStudio(environment=PATIENT) as running:
        yield running


@pytest.fixture(scope="module")
def admin(studio: RunningLabelStudio) -> LabelStudioAdmin:
    return LabelStudioAdmin(studio.url, studio.username, studio.password)


@pytest.fixture(scope="module")
def token(admin: LabelStudioAdmin) -> str:
    return admin.personal_token()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    shapes.write(tmp_path / "pictures", range(PICTURES))
    gate = Gate(tmp_path / "pictures")
    yield gate
    gate.close()


@pytest.fixture
def project(admin: LabelStudioAdmin, gate: Gate, tmp_path: Path) -> int:
    """Annotated tasks; those behind the gate are as many as are read side by side, so uploads come later."""
    project = admin.create_project("down while training", shapes.LABEL_CONFIG)
    behind = [{"data": {"image": f"http://{gate.host}/{number}.png"}} for number in range(WORKERS)]
    admin.import_tasks(project, behind)
    admin.upload(project, [tmp_path / "pictures" / f"{number}.png" for number in range(WORKERS, PICTURES)])
    for number, task in enumerate(sorted(admin.tasks(project))):
        admin.annotate(task, shapes.annotation(number))
    return project


def spec(project: int, gate: Gate, backoff_limit: int) -> dict[str, Any]:
    return {
        "labelStudio": {"projects": [project], "mediaHosts": [gate.host]},
        "model": {"task": "detect", "weights": "yolov8n.yaml", "imageSize": 64},
        "training": {
            "epochs": 1,
            "minimumAnnotations": PICTURES,
            "backoffLimit": backoff_limit,
            "triggers": {"button": True, "annotations": 0},
            "arguments": shapes.TRAINING,
        },
    }


def down_while_training(
    one: ServingProcess, studio: RunningLabelStudio, admin: LabelStudioAdmin, project: int, gate: Gate
) -> Path:
    """Start a training, and take Label Studio down when it reads images; the folder of the run."""
    button = until(lambda: admin.backends(project), "registered")[0]["id"]
    admin.start_training(button)
    until(gate.asked.is_set, "images are read")
    studio.pause()
    gate.open()
    return one.store / "runs" / "after-0"


def test_a_training_waits_for_label_studio_and_ends_well(
    backend: Callable[..., ServingProcess],
    studio: RunningLabelStudio,
    admin: LabelStudioAdmin,
    project: int,
    gate: Gate,
) -> None:
    one = backend(spec(project, gate, backoff_limit=5)).start()
    run = down_while_training(one, studio, admin, project, gate)
    try:
        waiting = until(lambda: waits(one), "the retry is announced")
        assert "Nothing is learned from a part of the data" in waiting
        assert studio.url in waiting
        assert not (run / "dataset").exists()
        assert one.version
    finally:
        studio.start()
    until((run / "result.json").exists, "the training ends")
    result = json.loads((run / "result.json").read_text())
    assert result["outcome"] in ("Promoted", "Rejected")
    said = until(lambda: one.ask("/status")["last_training"], "the end is told")
    assert result["message"] in said
    trained = one.store / "versions" / result["version"] / "card.json"
    counts = json.loads(trained.read_text())["dataset"]["counts"]
    assert counts["train"] + counts["validation"] == PICTURES


def test_without_a_retry_left_the_failure_names_label_studio(
    backend: Callable[..., ServingProcess],
    studio: RunningLabelStudio,
    admin: LabelStudioAdmin,
    project: int,
    gate: Gate,
) -> None:
    one = backend(spec(project, gate, backoff_limit=0)).start()
    served = one.version
    run = down_while_training(one, studio, admin, project, gate)
    try:
        said = until(lambda: one.ask("/status")["last_training"], "the failure is told")
        assert one.ask("/status")["training"] is None
        assert one.version == served
    finally:
        studio.start()
    result = json.loads((run / "result.json").read_text())
    assert result["outcome"] == "Failed"
    assert studio.url in result["message"]
    assert said == f"after-0: Failed, {result['message']}"


def waits(one: ServingProcess) -> str:
    """What a training waits for between two attempts; empty while it does not."""
    training = one.ask("/status")["training"] or {}
    return str(training["message"]) if training.get("phase") == "waiting" else ""
