"""Asking for a training and seeing it through; the tests play the operator that carries it out."""

import signal
import subprocess
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from cluster import Cluster

Json = Any
Run = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., "subprocess.Popen[str]"]
Until = Callable[[Callable[[], bool]], Awaitable[None]]
RESULT = {"outcome": "Promoted", "version": "4-0a1b2c3d", "metric": "mAP50", "candidate": 0.75, "served": 0.5}


def succeeded(status: str, reason: str) -> Json:
    """The condition Succeeded."""
    since = "2026-01-31T12:00:00Z"
    return {
        "type": "Succeeded",
        "status": status,
        "reason": reason,
        "message": "",
        "lastTransitionTime": since,
    }


def test_what_is_asked_for_is_stored(studio: Any, lsb: Run) -> None:
    studio.create()
    done = lsb("train", "cats", "--epochs", "7", "--force")
    assert done.returncode == 0, done.stderr
    (training,) = studio.trainings()
    assert training["metadata"]["name"] in done.stdout
    assert training["spec"] == {
        "backend": "cats",
        "reason": "Manual",
        "epochs": 7,
        "force": True,
        "arguments": {},
    }


def test_the_longest_name_leaves_room_for_its_trainings(studio: Any, lsb: Run) -> None:
    name = "c" * 40
    studio.create(name=name)
    assert lsb("train", name).returncode == 0
    (training,) = studio.trainings()
    assert len(training["metadata"]["name"]) == 52


async def test_a_training_goes_with_its_backend(
    studio: Any, cluster: Cluster, lsb: Run, until: Until
) -> None:
    studio.create()
    assert lsb("train", "cats").returncode == 0
    cluster.kubectl("delete", "lsb", "cats", f"--namespace={studio.namespace}")
    await until(lambda: not studio.trainings())


def test_a_paused_backend_is_told(studio: Any, lsb: Run) -> None:
    studio.create(spec={"suspend": True})
    assert "cats is paused" in lsb("train", "cats").stderr


@pytest.mark.parametrize(
    ("end", "code", "told"),
    [
        (
            {"phase": "Succeeded", "message": "better", "result": RESULT},
            0,
            "better (mAP50 0.750 against 0.500)",
        ),
        ({"phase": "Rejected", "message": "not better"}, 3, "Rejected: not better"),
        ({"phase": "AwaitingApproval", "message": "waits"}, 4, "AwaitingApproval: waits"),
        ({"phase": "Superseded", "message": "covered"}, 5, "Superseded: covered"),
        ({"phase": "Failed", "message": "crashed"}, 1, "Failed: crashed"),
        (
            {"phase": "Failed", "message": "too few", "conditions": [succeeded("False", "BadData")]},
            42,
            "too few",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else None,
)
async def test_the_exit_code_says_how_it_ended(
    studio: Any, start: Start, until: Until, end: Json, code: int, told: str
) -> None:
    studio.create()
    process = start("train", "cats", "--wait")
    await until(lambda: bool(studio.trainings()))
    name = studio.trainings()[0]["metadata"]["name"]
    assert process.stdout is not None
    for epoch in (1, 2):
        running = {"phase": "Running", "message": f"epoch {epoch} of 2"}
        studio.report(name, running | {"progress": {"epoch": epoch, "epochs": 2}}, "labelstudiotrainings")
        while process.stdout.readline() != f"Running: epoch {epoch} of 2\n":
            assert process.poll() is None
    studio.report(name, end, "labelstudiotrainings")
    shown, errors = process.communicate()
    assert (process.returncode, errors) == (code, "")
    assert told in shown


async def test_one_that_is_deleted_is_no_success(
    studio: Any, cluster: Cluster, start: Start, until: Until
) -> None:
    studio.create()
    process = start("train", "cats", "--wait")
    await until(lambda: bool(studio.trainings()))
    assert process.stdout is not None
    while not process.stdout.readline().startswith("Pending"):
        assert process.poll() is None
    name = studio.trainings()[0]["metadata"]["name"]
    cluster.kubectl("delete", "lstraining", name, f"--namespace={studio.namespace}")
    _, errors = process.communicate()
    assert process.returncode == 1
    assert errors == f"error: Training {name} was deleted before it ended\n"


async def test_who_stops_waiting_does_not_stop_the_training(studio: Any, start: Start, until: Until) -> None:
    studio.create()
    process = start("train", "cats", "--wait")
    await until(lambda: bool(studio.trainings()))
    assert process.stdout is not None
    while not process.stdout.readline().startswith("Pending"):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert "goes on" in errors
    assert len(studio.trainings()) == 1
