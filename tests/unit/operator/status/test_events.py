"""Events: one for each transition, none for a state that goes on."""

from typing import Any

import pytest

from lsb_operator.events import events


def _reasons(old: dict[str, Any] | None, new: dict[str, Any]) -> list[tuple[str, str]]:
    return [(event.type, event.reason) for event in events(old, new)]


def test_becoming_ready_is_told_once(world: Any) -> None:
    world.deployment(ready=0)
    world.pod(status={"conditions": [], "containerStatuses": []})
    starting = world.status()
    assert _reasons(None, starting) == [("Normal", "RollingOut")]
    world.objects[0]["status"]["readyReplicas"] = 1
    ready = world.status()
    assert _reasons(starting, ready) == [("Normal", "Ready")]
    assert events(ready, world.status()) == []


def test_a_failure_is_told_once_with_its_remedy(serving: Any) -> None:
    ready = serving.status()
    failing = serving.status(refused=("Service cats",))
    (event,) = events(ready, failing)
    assert (event.type, event.reason) == ("Warning", "NameConflict")
    assert "delete or rename it" in event.message
    assert events(failing, serving.status(refused=("Service cats",))) == []


def test_a_new_target_names_both_versions(serving: Any) -> None:
    before = serving.status()
    after = serving.status(target="4-ffffffff", previous="3-0a1b2c3d")
    (event,) = events(before, after)
    assert event.message == "Version 4-ffffffff is to be served in place of 3-0a1b2c3d."


def test_a_training_is_told_when_it_starts_and_when_it_ends(serving: Any) -> None:
    idle = serving.status()
    training = serving.training("cats-after-1", status={"phase": "Running", "job": "j"})
    running = serving.status()
    assert _reasons(idle, running) == [("Normal", "TrainingStarted")]
    training["status"]["progress"] = {"epoch": 50, "epochs": 100}
    assert events(running, serving.status()) == []
    training["status"] |= {"phase": "Failed", "finishedAt": "2026-01-31T11:59:00Z"}
    assert _reasons(running, serving.status()) == [("Warning", "TrainingFailed")]


@pytest.mark.parametrize("word", ["Succeeded", "Rejected", "Superseded"])
def test_what_becomes_of_a_candidate_that_waited_is_told_and_shown(serving: Any, word: str) -> None:
    result = {"outcome": "AwaitingApproval", "version": "4-ffffffff"}
    status = {"job": "a-job", "finishedAt": "2026-01-31T11:30:00Z", "result": result}
    serving.training("cats-after-1", status={"phase": "AwaitingApproval", **status})
    waiting = serving.status()
    serving.trainings[0]["status"]["phase"] = word
    decided = serving.status()
    assert [line["phase"] for line in decided["lastTrainings"]] == [word]
    assert _reasons(waiting, decided) == [("Normal", f"Training{word}")]
    assert events(decided, serving.status()) == []


def test_a_status_that_is_new_tells_nothing_of_old_trainings(serving: Any) -> None:
    serving.training(
        "cats-after-1", status={"phase": "Failed", "job": "j", "finishedAt": "2026-01-30T00:00:00Z"}
    )
    assert "TrainingFailed" not in [reason for _, reason in _reasons(None, serving.status())]


def test_rolling_back_is_a_warning(serving: Any) -> None:
    from lsb_operator.facts import RolledBack

    before = serving.status()
    after = serving.status(rolled_back=RolledBack("4-ffffffff", "it crashed"))
    assert _reasons(before, after) == [("Warning", "RolledBack")]


def test_suspending_and_resuming_are_told(serving: Any) -> None:
    before = serving.status()
    serving.spec({"suspend": True})
    suspended = serving.status()
    assert _reasons(before, suspended) == [("Normal", "Suspended")]
    serving.spec({"suspend": False})
    assert ("Normal", "Resumed") in _reasons(suspended, serving.status())


def test_an_event_fits_into_an_event() -> None:
    condition = {"type": "Ready", "status": "False", "reason": "Crashing", "message": "x" * 4000}
    (event,) = events({}, {"conditions": [condition]})
    assert len(event.message) == 1024
