"""The training image as compose.yaml runs it, with a real Label Studio as compose.yaml sets it up."""

import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import shapes
import yaml
from compose_file import CHECKOUT, load
from images.container import Container, give_to_group
from label_studio import RunningLabelStudio, free_port
from label_studio_admin import LabelStudioAdmin
from serving import basic, until

Run = Callable[..., Container]

STORE = "/var/lib/lsbackends"
MANIFEST = "/etc/lsbackends/backend.yaml"
ANNOTATED, HELD_OUT = 30, 4
TRAINING_SECONDS = 1200


@dataclass
class Studio:
    """Label Studio with a project of annotated pictures, and the secrets of both sides."""

    running: RunningLabelStudio
    secrets: Path
    admin: LabelStudioAdmin
    project: int
    tasks: list[int]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The services of compose.yaml."""
    services: dict[str, Any] = load(["compose.yaml"])["services"]
    return services


@pytest.fixture(scope="module")
def studio(compose: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("compose")
    script = folder / "examples/compose/secrets.sh"
    script.parent.mkdir(parents=True)
    shutil.copy(CHECKOUT / "examples/compose/secrets.sh", script)
    subprocess.run(["sh", str(script)], check=True, capture_output=True)
    # What Label Studio's image does with a file that ENV_INJECT_SOURCES names: the shell reads it.
    lines = (folder / "secrets/label-studio").read_text().splitlines()
    secret = dict(shlex.split(line)[1].split("=", 1) for line in lines)
    login = secret.pop("LABEL_STUDIO_USERNAME"), secret.pop("LABEL_STUDIO_PASSWORD")
    settings = {**compose["label-studio"]["environment"], **secret}
    settings.pop("ENV_INJECT_SOURCES")
    with RunningLabelStudio(username=login[0], password=login[1], environment=settings) as running:
        admin = LabelStudioAdmin(running.url, *login)
        project = admin.create_project("shapes", shapes.LABEL_CONFIG)
        numbers = range(ANNOTATED + HELD_OUT)
        tasks = admin.upload(project, shapes.write(folder / "pictures", numbers))
        for number in range(ANNOTATED):
            admin.annotate(tasks[number], shapes.annotation(number))
        yield Studio(running, folder / "secrets", admin, project, tasks)


@pytest.fixture
def begin(
    train: str, container: Run, studio: Studio, compose: dict[str, Any], tmp_path: Path
) -> Callable[..., Container]:
    """Starts the image with the command line, the secrets and the volumes that compose.yaml gives it."""

    def start(arguments: list[str], port: int, epochs: int) -> Container:
        store = tmp_path / "store"
        store.mkdir(exist_ok=True)
        manifest = tmp_path / "backend.yaml"
        manifest.write_text(yaml.safe_dump(document(studio, port, epochs)))
        manifest.chmod(0o644)
        media = studio.running.data / "media"
        mounts = {MANIFEST: manifest, STORE: give_to_group(store), "/var/lib/label-studio/media": media}
        mounts |= {
            f"/run/secrets/{name}": studio.secrets / name for name in ("label-studio-token", "basic-auth")
        }
        one = container(
            train,
            *arguments,
            mounts=mounts,
            writable=[STORE],
            shared_memory=str(compose["backend"]["shm_size"]),
        )
        return one.start()

    return start


def document(studio: Studio, port: int, epochs: int) -> Mapping[str, Any]:
    """The manifest of compose.yaml for what can be learned on a processor in a minute."""
    manifest: dict[str, Any] = yaml.safe_load((CHECKOUT / "examples/compose/backend.yaml").read_text())
    spec = manifest["spec"]
    # Everybody is in the network of this machine here.
    addresses = {"url": studio.running.url, "backendURL": f"http://127.0.0.1:{port}"}
    spec["labelStudio"] |= addresses | {"projects": [studio.project]}
    spec["model"] |= {"weights": "yolov8n.yaml", "imageSize": shapes.SIZE}
    spec["training"] |= {"epochs": epochs, "arguments": {**shapes.TRAINING, "workers": 1}}
    return manifest


def serving(compose: dict[str, Any], port: int) -> list[str]:
    """The command line of compose.yaml, on a port of this machine alone."""
    command = [word.replace("0.0.0.0", "127.0.0.1") for word in compose["backend"]["command"]]
    return [*command, "--port", str(port)]


def test_it_serves_and_trains_beside_it(
    begin: Callable[..., Container], studio: Studio, compose: dict[str, Any]
) -> None:
    """Button, training as a child process, promotion, swap: all of it in /tmp and the store."""
    port = free_port()
    server = begin(serving(compose, port), port, epochs=18)

    def registered() -> list[dict[str, Any]]:
        assert server.running, server.logs
        return studio.admin.backends(studio.project)

    (backend,) = until(registered, "the backend has registered itself", 600)
    assert backend["url"] == f"http://127.0.0.1:{port}"
    # Label Studio's own webhook carries no password; registration adds it a moment later.
    password = {"Authorization": basic((studio.secrets / "basic-auth").read_text().strip())}
    until(
        lambda: [one["headers"] for one in studio.admin.webhooks(studio.project)] == [password],
        "the webhook knows the password",
    )
    first = backend["model_version"]
    studio.admin.start_training(backend["id"])
    until(
        lambda: registered()[0]["model_version"] not in (None, first),
        "the version of the training serves",
        TRAINING_SECONDS,
    )
    held_out = studio.tasks[ANNOTATED:]
    studio.admin.retrieve_predictions(studio.project, held_out)
    overlaps = [
        max(
            (
                shapes.overlap(number, region["value"])
                for one in studio.admin.predictions(task)
                for region in one["result"]
            ),
            default=0.0,
        )
        for number, task in enumerate(held_out, start=ANNOTATED)
    ]
    assert max(overlaps) > 0.5
    server.signal("TERM")
    assert server.wait() == 0


def test_sigterm_ends_a_training_and_it_goes_on_where_it_was(
    begin: Callable[..., Container], studio: Studio
) -> None:
    """As the first process of a pod it would never hear of it, if nobody passed it on."""
    command = ["train", "-f", MANIFEST, "--store", STORE, "--token-file", "/run/secrets/label-studio-token"]
    prepared = begin(["prepare", "-f", MANIFEST, "--store", STORE], 9, epochs=60)
    assert prepared.wait() == 0, prepared.logs
    training = begin([*command, "--run", "after-0"], 9, epochs=60)

    def epochs(one: Container) -> list[str]:
        assert one.running, one.logs
        return [line for line in one.logs.splitlines() if '"event": "epoch"' in line]

    until(lambda: len(epochs(training)) >= 2, "an epoch is over", TRAINING_SECONDS)
    training.signal("TERM")
    assert training.wait() not in (0, 137)
    resumed = begin([*command, "--run", "after-0"], 9, epochs=60)
    first = until(lambda: epochs(resumed), "the next epoch is over", TRAINING_SECONDS)[0]
    assert '"epoch": 1,' not in first
    resumed.signal("TERM")
    resumed.wait()
