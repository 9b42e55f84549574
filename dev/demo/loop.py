"""One turn of the loop, step by step: label, train, better predictions."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from demo.errors import DemoError
from demo.pictures import Picture
from demo.score import Figures, Predicted, figures, predicted
from demo.servers import ANNOTATED, Servers
from demo.steps import Steps
from demo.training import Trained, follow


@dataclass(frozen=True, slots=True)
class Judged:
    """A version, what it predicts for the tasks nobody annotated, and how right that is."""

    version: str
    found: list[list[Predicted]]
    figures: Figures


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the demonstration has to tell, with the pictures nobody annotated."""

    held_out: list[Picture]
    before: Judged
    after: Judged
    validation: dict[str, float]
    training_seconds: float


def run(steps: Steps, servers: Servers, held_out: list[Picture]) -> Outcome:
    """Train by the button and judge the versions before and after it."""
    waiting = servers.tasks[ANNOTATED:]
    with steps.step("Wait until `lsb serve` is ready and registered"):
        first = servers.backend.wait_until_ready()
        button = _registered(servers)
    with steps.step(f"Retrieve predictions of version {first} for {len(waiting)} tasks nobody annotated"):
        before = _judge(servers, waiting, held_out, first)
    began = time.monotonic()
    with steps.step("Press Start training, and wait for a new version"):
        servers.admin.start_training(button)
        trained = follow(servers.backend, first, steps.console)
    seconds = time.monotonic() - began
    with steps.step(f"Label Studio sees {trained.version}; retrieve its predictions"):
        _seen(servers, trained)
        # Asked for at the same time by two, Label Studio stores two predictions of one version.
        servers.backend.wait_until_refreshed(trained.version)
        after = _judge(servers, waiting, held_out, trained.version)
    return Outcome(held_out, before, after, trained.validation, seconds)


def _registered(servers: Servers, seconds: float = 60) -> int:
    """The id of the backend in Label Studio, where `lsb serve` has put itself."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if backends := servers.admin.backends(servers.project):
            return int(backends[0]["id"])
        time.sleep(0.5)
    raise DemoError("`lsb serve` did not register itself in Label Studio")


def _seen(servers: Servers, trained: Trained, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        backends = servers.admin.backends(servers.project)
        if any(backend["model_version"] == trained.version for backend in backends):
            return
        time.sleep(0.5)
    raise DemoError(f"Label Studio did not notice the new version {trained.version}")


def _judge(servers: Servers, tasks: Sequence[int], held_out: Sequence[Picture], version: str) -> Judged:
    servers.admin.retrieve_predictions(servers.project, tasks)
    found = [predicted(servers.admin.predictions(task), version) for task in tasks]
    return Judged(version, found, figures(held_out, found))
