"""The images as a cluster runs them: a user that nobody knows, a root that nobody writes to."""

import base64
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import shapes
import yaml
from images.build import Built, Wanted, build
from images.catalogue import ALL, Image, chosen
from images.container import Container, give_to_group
from images.engine import Engine, find

from lsb_backend.dataset.manifest import Export, ProjectExport
from lsb_backend.serve.address import addressed
from lsb_backend.store.store import Store
from lsb_backend.training.prepare import prepare
from lsb_backend.training.progress import JsonLines
from lsb_backend.training.run import train as train_here
from lsb_crds.backend import LabelStudioBackend
from lsb_crds.contract import API_VERSION

BASE = os.environ.get("BASE") or "auto"
STORE = "/var/lib/lsbackends"
MANIFEST = "/etc/lsbackends/backend.yaml"

Run = Callable[..., Container]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, and count as such, the tests of images that IMAGES does not name."""
    wanted = {image.name for image in chosen(os.environ.get("IMAGES") or ",".join(one.name for one in ALL))}
    left_out = [item for item in items if not _images(item) <= wanted]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def _images(item: pytest.Item) -> set[str]:
    """The names of the images that a test starts."""
    fixtures = set(getattr(item, "fixturenames", ()))
    given = getattr(item, "callspec", None)
    by_parameter = {given.params["image"].name} if given and "image" in given.params else set()
    return by_parameter | {image.name for image in ALL if image.name in fixtures}


@pytest.fixture(scope="session")
def engine() -> Engine:
    return find(to_run=True)


@pytest.fixture(scope="session")
def built(engine: Engine) -> Callable[[Image], Built]:
    """Builds an image at its first use."""
    known: dict[str, Built] = {}

    def make(image: Image) -> Built:
        if image.name not in known:
            (known[image.name],) = build(engine, Wanted((image,), registry="localhost/tested", base=BASE))
        return known[image.name]

    return make


@pytest.fixture(scope="session")
def operator(built: Callable[[Image], Built]) -> str:
    """The operator's image."""
    return built(chosen("operator")[0]).reference


@pytest.fixture(scope="session")
def serve(built: Callable[[Image], Built]) -> str:
    """The serving image."""
    return built(chosen("serve")[0]).reference


@pytest.fixture(scope="session")
def train(built: Callable[[Image], Built]) -> str:
    """The training image."""
    return built(chosen("train")[0]).reference


@pytest.fixture(scope="session")
def python(engine: Engine) -> Callable[..., str]:
    """Runs a program in Python inside of an image whose root may be written to; what it prints."""

    def run(image: str, program: str, user: str = "12345:0") -> str:
        command = ["run", "--rm", "--network", "host", *engine.limits, "--user", user]
        return engine.run(*command, "--entrypoint", "python", image, "-c", program)

    return run


@pytest.fixture
def container(engine: Engine) -> Iterator[Run]:
    """Makes containers that are gone with the test."""
    made: list[Container] = []

    def make(image: str, *arguments: str, **options: Any) -> Container:
        made.append(Container(engine, image, arguments, **options))
        return made[-1]

    yield make
    for one in made:
        one.remove()


@pytest.fixture(scope="session")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose promoted version finds the blocks of `shapes`: trained here, not in an image."""
    folder = tmp_path_factory.mktemp("learned")
    spec = {"labelStudio": {"url": "http://127.0.0.1:9", "projects": [1]}, **shapes_spec("openvino")}
    backend = LabelStudioBackend.model_validate(
        {"apiVersion": API_VERSION, "kind": "LabelStudioBackend", "metadata": {"name": "a"}, "spec": spec}
    )
    store, report = Store.open(folder / "store"), JsonLines(sys.stderr)
    prepare(backend, store, report)
    run = store.runs / "after-0"
    run.mkdir(parents=True)
    export = ProjectExport(id=1, label_config=shapes.LABEL_CONFIG, tasks=shapes_tasks(folder, range(1, 31)))
    (run / "export.json").write_text(Export(projects=[export]).model_dump_json())
    (run / "request.json").write_text('{"reason": "Manual", "asked_at": "2026-01-01T00:00:00Z"}')
    result = train_here(
        addressed(backend, "http://127.0.0.1:9090"), store, "http://127.0.0.1:9", "0" * 40, run, report
    )
    assert result.outcome == "Promoted", result
    return store.root


@pytest.fixture
def store(learned: Path, tmp_path: Path) -> Path:
    """A copy of it that containers may write to."""
    return give_to_group(shutil.copytree(learned, tmp_path / "store"))


@pytest.fixture
def empty_store(tmp_path: Path) -> Path:
    """An empty folder that containers may write to."""
    (tmp_path / "store").mkdir()
    return give_to_group(tmp_path / "store")


@pytest.fixture
def pictures(tmp_path: Path) -> list[dict[str, Any]]:
    """Tasks with pictures that no model has seen."""
    return [{**task, "annotations": []} for task in shapes_tasks(tmp_path, range(101, 109))]


def shapes_spec(runtime: str) -> dict[str, Any]:
    """The spec of a backend that learns the blocks of `shapes` on a processor, and serves by `runtime`."""
    return {
        "model": {"task": "detect", "weights": "yolov8n.yaml", "imageSize": shapes.SIZE},
        "serving": {"runtime": runtime},
        "training": {"epochs": 18, "minimumAnnotations": 10, "arguments": shapes.TRAINING},
    }


def shapes_tasks(folder: Path, numbers: range) -> list[dict[str, Any]]:
    """Tasks of Label Studio with these pictures inside of them, as annotated."""
    tasks = []
    for number, path in zip(numbers, shapes.write(folder / "pictures", numbers), strict=True):
        annotation = {
            "id": number,
            "created_at": "2026-01-01T00:00:00Z",
            "result": shapes.annotation(number),
            "was_cancelled": False,
        }
        image = f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
        tasks.append({"id": number, "data": {"image": image}, "annotations": [annotation]})
    return tasks


@pytest.fixture
def manifest(tmp_path: Path) -> Callable[[Mapping[str, Any]], Path]:
    """Writes a manifest that every user can read."""

    def write(spec: Mapping[str, Any]) -> Path:
        document = {
            "apiVersion": API_VERSION,
            "kind": "LabelStudioBackend",
            "metadata": {"name": "tested"},
            "spec": {"labelStudio": {"url": "http://127.0.0.1:9", "register": False}, **spec},
        }
        file = tmp_path / "backend.yaml"
        file.write_text(yaml.safe_dump(document))
        file.chmod(0o644)
        return file

    return write
