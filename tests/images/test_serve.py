"""The serving image: predictions without torch, by a user that nobody knows, until SIGTERM."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import shapes
from images.container import Container, configuration
from images.engine import Engine
from label_studio import free_port
from serving import until

Run = Callable[..., Container]
Write = Callable[[Mapping[str, Any]], Path]

STORE = "/var/lib/lsbackends"
MANIFEST = "/etc/lsbackends/backend.yaml"
# As `shapes` are learned; no training here.
MODEL = {"task": "detect", "weights": "yolov8n.yaml", "imageSize": shapes.SIZE}


@dataclass
class Server:
    """A server in a container, on a port of 127.0.0.1."""

    container: Container
    port: int

    def status(self, path: str) -> int:
        """The HTTP status of `path`; 0 while nobody answers. Fails once the server has ended."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            assert self.container.running, self.container.logs
            return 0

    def predict(self, tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        body = {"tasks": tasks, "project": "1.1", "label_config": shapes.LABEL_CONFIG}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/predict",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=300) as answer:
            results: list[dict[str, Any]] = json.loads(answer.read())["results"]
            return results


@pytest.fixture
def start(serve: str, container: Run, manifest: Write) -> Callable[..., Server]:
    """Starts a server in the image, with a store that its group may write to."""

    def begin(spec: Mapping[str, Any], store: Path) -> Server:
        port = free_port()
        server = container(
            serve,
            *("serve", "-f", MANIFEST, "--store", STORE, "--host", "127.0.0.1", "--port", str(port)),
            mounts={MANIFEST: manifest(spec), STORE: store},
            writable=[STORE],
        )
        return Server(server.start(), port)

    return begin


def ready(server: Server) -> Server:
    until(lambda: server.status("/readyz") == 200, "the server is ready", 300)
    return server


@pytest.mark.parametrize("runtime", ["openvino", "onnx"])
def test_it_finds_what_the_model_has_learned(
    runtime: str, start: Callable[..., Server], store: Path, pictures: list[dict[str, Any]]
) -> None:
    server = ready(start({"model": MODEL, "serving": {"runtime": runtime}}, store))
    results = server.predict(pictures)
    found = [
        max((shapes.overlap(task["id"], region["value"]) for region in item.get("result", [])), default=0.0)
        for task, item in zip(pictures, results, strict=True)
    ]
    assert sorted(found)[len(found) // 2] > 0.5
    assert server.status("/livez") == 200


def test_the_dummy_needs_no_weights(
    start: Callable[..., Server], pictures: list[dict[str, Any]], empty_store: Path
) -> None:
    server = ready(start({"model": {"task": "dummy"}}, empty_store))
    (item,) = server.predict(pictures[:1])
    assert item["result"][0]["value"]["rectanglelabels"] == ["red"]


def test_there_is_no_torch_in_it(serve: str, python: Callable[..., str]) -> None:
    look = "import importlib.util as i; print([n for n in ('torch', 'ultralytics') if i.find_spec(n)])"
    assert python(serve, look) == "[]"


def test_its_health_check_tells_ready_from_not(
    engine: Engine, serve: str, start: Callable[..., Server], empty_store: Path
) -> None:
    server = ready(start({"model": {"task": "dummy"}}, empty_store))
    command = configuration(engine, serve)["Healthcheck"]["Test"][1:]
    assert any(":9090/" in word for word in command)
    here, nowhere = (
        server.container.execute(*(word.replace(":9090/", f":{port}/") for word in command))
        for port in (server.port, free_port())
    )
    assert here.code == 0
    assert nowhere.code == 1
    assert len(nowhere.err.strip().splitlines()) == 1


def test_sigterm_ends_it_well(start: Callable[..., Server], empty_store: Path) -> None:
    server = ready(start({"model": {"task": "dummy"}}, empty_store))
    server.container.signal("TERM")
    assert server.container.wait() == 0


def test_sigterm_in_its_first_moment_is_not_lost(start: Callable[..., Server], empty_store: Path) -> None:
    server = start({"model": {"task": "dummy"}}, empty_store)
    # Python runs, and nothing of the server does yet.
    until(lambda: server.container.execute("true").code == 0, "the first process is there")
    server.container.signal("TERM")
    assert server.container.wait() in (0, 143)


def test_what_a_killed_program_leaves_behind_is_buried(
    start: Callable[..., Server], empty_store: Path
) -> None:
    server = ready(start({"model": {"task": "dummy"}}, empty_store))
    server.container.execute("sh", "-c", "sleep 1.25 & exit 0")
    look = (
        "import glob; stats = [open(path).read() for path in glob.glob('/proc/[0-9]*/stat')];"
        "print(sum('(sleep)' in stat for stat in stats))"
    )
    deadline = time.monotonic() + 60
    while server.container.execute("python", "-c", look).out.strip() != "0":
        assert time.monotonic() < deadline, "a dead process is still there"
        time.sleep(0.2)
