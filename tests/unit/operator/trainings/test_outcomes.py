"""What a Job leaves behind, and what a training makes of it."""

import json

import pytest


@pytest.mark.parametrize(
    ("outcome", "phase", "promoted"),
    [
        ("Promoted", "Succeeded", "1-bbbbbbbb"),
        ("Rejected", "Rejected", None),
        ("AwaitingApproval", "AwaitingApproval", None),
    ],
)
def test_the_result_is_recorded_before_the_job_may_go(world, outcome, phase, promoted) -> None:
    world.ask("t")
    world.settle()
    world.end("t-train", outcome=outcome, version="1-bbbbbbbb", candidate=0.5, served=0.4, metric="fitness")
    recorded, *_ = world.plan().actions
    assert not any(action.__class__.__name__ == "KeepJobFor" for action in world.plan().actions)
    world.carry_out(recorded)
    world.settle()
    assert world.phase("t") == phase
    assert world.status("t").get("promoted") == promoted
    assert world.status("t")["result"]["candidate"] == 0.5
    assert world.jobs["t-train"]["spec"]["ttlSecondsAfterFinished"] > 0
    world.remove_job("t-train")
    world.settle()
    assert world.phase("t") == phase
    assert world.running() == []


@pytest.mark.parametrize(
    "message",
    [
        "",
        '{"outcome": "Promoted", "vers',
        '["Promoted"]',
        "Segmentation fault",
        '{"outcome": "Promoted"}',
        '{"outcome": "Won", "version": "1-bbbbbbbb"}',
        '{"outcome": "Promoted", "version": "../../etc"}',
        "[" * 4000,
    ],
)
def test_an_unreadable_result_is_asked_for_again_and_then_given_up(world, message) -> None:
    world.ask("t")
    world.settle()
    for _ in range(3):
        world.end("t-train", message=message)
        world.settle()
    assert world.phase("t") == "Failed"
    assert world.status("t")["attempts"] == 3
    assert "no result" in world.status("t")["message"]


def test_a_lost_result_is_found_by_the_next_attempt(world) -> None:
    world.ask("t")
    world.settle()
    world.end("t-train", message="")
    world.settle()
    world.end("t-train", outcome="Promoted", version="1-bbbbbbbb")
    world.settle()
    assert world.phase("t") == "Succeeded"
    assert world.status("t")["attempts"] == 2


def test_the_trainers_own_word_counts_when_the_pod_is_gone(world) -> None:
    world.ask("t")
    world.settle()
    world.start("t-train")
    world.settle()
    world.trainings["t"]["status"]["result"] = {"outcome": "Rejected", "version": "1-bbbbbbbb"}
    world.end("t-train", message="")
    world.pods.clear()
    world.settle()
    assert world.phase("t") == "Rejected"


@pytest.mark.parametrize(
    ("reason", "code", "words"),
    [
        ("DeadlineExceeded", 143, "activeDeadlineSeconds (86400 s)"),
        ("BackoffLimitExceeded", 1, "CUDA out of memory"),
        ("PodFailurePolicy", 42, "cannot be trained on"),
    ],
)
def test_a_failed_job_says_why(world, reason, code, words) -> None:
    world.ask("t")
    world.settle()
    world.end("t-train", message="noise\nCUDA out of memory\n", code=code, reason=reason)
    world.settle()
    assert world.phase("t") == "Failed"
    assert words in world.status("t")["message"]
    stalled = [one for one in world.status("t")["conditions"] if one["type"] == "Stalled"]
    assert stalled[0]["status"] == "True"


def test_bad_data_is_told_in_the_trainers_words(world) -> None:
    world.ask("t")
    world.settle()
    said = {"outcome": "Failed", "message": "12 tasks are annotated, and minimumAnnotations is 20"}
    world.end("t-train", message=json.dumps(said), code=42, reason="PodFailurePolicy")
    world.settle()
    assert world.phase("t") == "Failed"
    assert "minimumAnnotations is 20" in world.status("t")["message"]


def test_a_job_deleted_by_hand_is_made_again_and_counted(world) -> None:
    world.ask("t")
    world.settle()
    for attempt in (1, 2, 3):
        assert world.running() == ["t-train"]
        world.settle()
        assert world.status("t")["attempts"] == attempt
        world.remove_job("t-train")
        world.settle()
    assert world.running() == []
    assert world.phase("t") == "Failed"
    assert "deleted 3 times" in world.status("t")["message"]
