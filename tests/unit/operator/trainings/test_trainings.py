"""Whose turn it is, and what people do to trainings and their Jobs."""

from dataclasses import replace

import pytest

from lsb_crds.resolve import resolve
from lsb_operator import actions as do
from lsb_operator import marks
from lsb_operator.children.replicas import replicas
from lsb_operator.trainings import plan_trainings, without_backend


def test_one_runs_and_the_others_wait_in_order(world) -> None:
    for name in ("b", "a", "c"):
        world.ask(name)
        world.later(seconds=1)
    world.settle()
    assert world.running() == ["b-train"]
    world.start("b-train")
    world.settle()
    assert [world.phase(name) for name in ("b", "a", "c")] == ["Running", "Queued", "Queued"]
    assert "training b" in world.status("a")["message"]
    world.end("b-train", outcome="Rejected", version="1-bbbbbbbb", message=None)
    world.settle()
    assert world.phase("b") == "Rejected"
    assert world.running() == ["a-train"]


def test_of_automatic_ones_the_oldest_stays(world) -> None:
    world.ask("first")
    world.settle()
    for name, reason in (("cats-after-0", "Button"), ("cats-after-1", "Annotations"), ("m", "Manual")):
        world.ask(name, reason)
        world.later(seconds=1)
    world.settle()
    assert world.phase("cats-after-0") == "Queued"
    assert world.phase("cats-after-1") == "Superseded"
    assert world.phase("m") == "Queued"


def test_the_eleventh_manual_one_that_waits_is_refused(world) -> None:
    world.ask("runs")
    world.settle()
    for number in range(50):
        world.ask(f"m{number:02d}")
    world.settle()
    phases = [world.phase(f"m{number:02d}") for number in range(50)]
    assert phases == ["Queued"] * 10 + ["Failed"] * 40
    assert "ask again" in world.status("m10")["message"]
    assert world.running() == ["runs-train"]


def test_a_deleted_training_takes_its_job_along_and_its_name_is_free(world) -> None:
    world.ask("t")
    world.settle()
    world.start("t-train")
    world.settle()
    del world.trainings["t"]
    world.ask("t")
    world.settle()
    assert world.running() == ["t-train"]
    uid = world.jobs["t-train"]["metadata"]["annotations"][marks.TRAINING_UID]
    assert uid == world.trainings["t"]["metadata"]["uid"]
    assert world.status("t")["attempts"] == 1


def test_nothing_begins_while_a_pod_outlives_its_job(world) -> None:
    world.ask("t")
    world.settle()
    world.start("t-train")
    pods = dict(world.pods)
    world.remove_job("t-train")
    world.pods = pods
    del world.trainings["t"]
    world.ask("u")
    world.settle()
    assert world.running() == []
    assert "to be gone" in world.status("u")["message"]
    world.pods.clear()
    world.settle()
    assert world.running() == ["u-train"]


def test_somebody_elses_job_is_left_alone(world) -> None:
    world.jobs["t-train"] = {"metadata": {"name": "t-train", "uid": "theirs"}, "spec": {}}
    world.ask("t")
    world.settle()
    assert world.phase("t") == "Failed"
    assert "somebody else" in world.status("t")["message"]
    assert world.jobs["t-train"]["metadata"]["uid"] == "theirs"


def test_a_queued_job_waits_to_be_admitted(new_world) -> None:
    world = new_world({"training": {"queue": "gpus", "whileTraining": "Pause"}})
    world.prepared()
    world.ask("t")
    world.settle()
    assert world.jobs["t-train"]["spec"]["suspend"] is True
    world.settle()
    assert world.phase("t") == "Queued"
    assert "gpus" in world.status("t")["message"]
    world.jobs["t-train"]["spec"]["suspend"] = False
    world.settle()
    assert world.phase("t") == "Pending"
    world.start("t-train")
    world.settle()
    assert world.phase("t") == "Running"


def test_a_pod_that_finds_no_gpu_runs_for_those_that_lend_theirs(world) -> None:
    world.ask("t")
    world.settle()
    world.start("t-train")
    (pod,) = [pod for pod in world.pods.values() if "t-train" in pod["metadata"]["name"]]
    unschedulable = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes: Insufficient gpu"}
    pod["status"] = {"phase": "Pending", "conditions": [unschedulable]}
    world.settle()
    assert world.phase("t") == "Running"
    assert "Insufficient gpu" in world.status("t")["message"]


def test_an_image_that_cannot_be_pulled_is_said_once_and_with_what_to_do(world) -> None:
    world.ask("t")
    world.settle()
    world.start("t-train")
    (pod,) = [pod for pod in world.pods.values() if "t-train" in pod["metadata"]["name"]]
    said = set()
    for reason, words in (
        ("ErrImagePull", ""),
        ("ImagePullBackOff", 'Back-off pulling image "x": ErrImagePull: '),
    ):
        waiting = {"reason": reason, "message": f"{words}x: not found"}
        pod["status"] = {
            "phase": "Pending",
            "conditions": [{"type": "PodScheduled", "status": "True"}],
            "containerStatuses": [{"name": "lsb", "state": {"waiting": waiting}}],
        }
        world.settle()
        said.add(world.status("t")["message"])
    # The node tries and pauses for as long as the image is missing.
    (message,) = said
    assert "To do: check spec.training.image" in message
    assert {one["type"] for one in world.status("t")["conditions"] if one["status"] == "True"} == {
        "Reconciling",
        "Stalled",
    }


@pytest.mark.parametrize("ends", ["promoted", "failed", "job deleted", "training deleted"])
def test_serving_lends_its_gpu_from_admission_to_the_end_whatever_that_is(new_world, ends) -> None:
    world = new_world({"training": {"queue": "gpus", "whileTraining": "Pause", "backoffLimit": 0}})
    world.prepared()
    world.ask("t")
    world.settle()
    assert replicas(world.spec, world.facts()) == 1
    world.jobs["t-train"]["spec"]["suspend"] = False
    world.start("t-train")
    world.settle()
    assert replicas(world.spec, world.facts()) == 0
    match ends:
        case "promoted":
            world.end("t-train", outcome="Promoted", version="1-bbbbbbbb")
        case "failed":
            world.end("t-train", message="no", code=1, reason="BackoffLimitExceeded")
        case "job deleted":
            world.remove_job("t-train")
        case "training deleted":
            del world.trainings["t"]
    world.settle()
    assert replicas(world.spec, world.facts()) == 1


def test_the_last_epoch_is_followed_by_the_evaluation(world) -> None:
    world.ask("t")
    world.settle()
    world.start("t-train")
    world.settle()
    world.trainings["t"]["status"]["progress"] = {"epoch": 12, "epochs": 100}
    world.settle()
    assert world.phase("t") == "Running"
    assert world.status("t")["message"] == "epoch 12 of 100"
    world.trainings["t"]["status"]["progress"] = {"epoch": 100, "epochs": 100}
    world.settle()
    assert world.phase("t") == "Evaluating"


@pytest.mark.parametrize(("said", "phase"), [("true", "Succeeded"), ("false", "Rejected")])
def test_a_person_decides(world, said, phase) -> None:
    world.ask("t")
    world.settle()
    world.end("t-train", outcome="AwaitingApproval", version="1-bbbbbbbb")
    world.settle()
    assert world.model.target == "0-aaaaaaaa"
    world.trainings["t"]["metadata"]["annotations"] = {marks.APPROVED: said}
    world.settle()
    assert world.phase("t") == phase
    assert world.model.target == ("1-bbbbbbbb" if said == "true" else "0-aaaaaaaa")


def test_a_later_candidate_takes_the_place_of_one_that_waits(world) -> None:
    for name, version in (("t", "1-bbbbbbbb"), ("u", "2-cccccccc")):
        world.ask(name)
        world.settle()
        world.end(f"{name}-train", outcome="AwaitingApproval", version=version)
        world.settle()
    assert world.phase("t") == "Superseded"
    assert world.phase("u") == "AwaitingApproval"


def test_a_suspended_backend_begins_nothing_and_ends_what_runs(world) -> None:
    world.ask("t")
    world.settle()
    world.backend["spec"]["suspend"] = True
    world.ask("u")
    world.settle()
    assert world.running() == ["t-train"]
    world.end("t-train", outcome="Promoted", version="1-bbbbbbbb")
    world.settle()
    assert world.phase("t") == "Succeeded"
    assert world.running() == []
    world.backend["spec"]["suspend"] = False
    world.settle()
    assert world.running() == ["u-train"]


def test_a_deleted_backend_ends_its_trainings(world) -> None:
    world.ask("t")
    world.ask("u")
    world.settle()
    world.backend["metadata"]["deletionTimestamp"] = "2026-11-22T12:30:00Z"
    world.settle()
    assert [world.phase(name) for name in ("t", "u")] == ["Failed", "Failed"]
    assert "deleted" in world.status("u")["message"]


def test_a_training_for_no_backend_waits_and_says_so(world) -> None:
    world.ask("t")
    facts = next(one for one in world.facts().trainings if one.name == "t")
    (written,) = without_backend(facts, "dogs", world.now).actions
    assert written.status["phase"] == "Pending"
    assert "no LabelStudioBackend dogs" in written.status["message"]
    world.carry_out(written)
    facts = next(one for one in world.facts().trainings if one.name == "t")
    assert without_backend(facts, "dogs", world.now).actions == ()


def test_trainings_that_failed_are_followed_by_a_rest(world) -> None:
    for number in range(2):
        world.ask(f"cats-after-{number}", "Annotations")
        world.settle()
        world.later(hours=1)
        world.settle()
        world.end(f"cats-after-{number}-train", message="no GPU", code=1, reason="BackoffLimitExceeded")
        world.settle()
    world.ask("cats-after-2", "Annotations")
    world.settle()
    assert world.running() == []
    assert world.plan().later == 600
    world.ask("now")
    world.settle()
    assert world.running() == ["now-train"]


def _refuse(world, answer: str):
    """The API server does not take the next Job; what the operator does then."""
    (asked,) = [one for one in world.plan().actions if isinstance(one, do.CreateJob)]
    key = ("Job", asked.manifest["metadata"]["name"])
    facts = replace(world.facts(), held={key: answer})
    return plan_trainings(world.spec, resolve(world.spec, "1.0"), facts).actions


def test_a_job_that_is_refused_is_told_once_and_asked_for_again(world) -> None:
    world.ask("t")
    quota = 'jobs.batch "t-train" is forbidden: exceeded quota: strict, requested: count/jobs.batch=1'
    told = [one for one in _refuse(world, quota) if isinstance(one, do.ApplyTrainingStatus)]
    assert [one.name for one in told] == ["t"]
    world.carry_out(told[0])
    assert (world.phase("t"), world.status("t")["conditions"][0]["reason"]) == ("Pending", "QuotaExceeded")
    assert "exceeded quota: strict" in world.status("t")["message"]
    again = world.plan().actions
    assert [type(one) for one in again] == [do.CreateJob]
    assert [type(one) for one in _refuse(world, quota)] == [do.CreateJob]
    world.settle()
    assert world.running() == ["t-train"]
    assert world.status("t")["conditions"][0]["reason"] != "QuotaExceeded"


def test_a_job_that_is_made_again_and_refused_keeps_its_count(world) -> None:
    world.ask("t")
    world.settle()
    world.start("t-train")
    world.settle()
    world.remove_job("t-train")
    (told,) = [one for one in _refuse(world, "no more Jobs here") if isinstance(one, do.ApplyTrainingStatus)]
    assert (told.status["job"], told.status["attempts"]) == ("t-train", 1)
    stalled = next(one for one in told.status["conditions"] if one["type"] == "Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", "ApplyRefused")
