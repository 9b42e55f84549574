"""Conditions: when each is there, what it says, and that `kubectl wait` and kstatus can rely on it."""

from typing import Any

import pytest

PROJECTS = {"labelStudio": {"projects": [1, 2]}}


def _finished(phase: str, **result: Any) -> dict[str, Any]:
    return {
        "spec": {"reason": "Annotations"},
        "status": {"phase": phase, "job": "a-job", "finishedAt": "2026-01-31T11:30:00Z", "result": result},
    }


def test_a_backend_that_serves_is_ready_and_nothing_else(serving: Any) -> None:
    status = serving.status()
    assert [one["type"] for one in status["conditions"]] == ["Ready"]
    assert status["conditions"][0]["message"] == "1 pod serves version 3-0a1b2c3d."
    assert (status["phase"], status["observedGeneration"]) == ("Ready", 4)


def test_a_failed_training_leaves_it_ready(serving: Any, of: Any) -> None:
    serving.training("cats-after-1", **_finished("Failed", message="project 1 has no annotated task"))
    status = serving.status()
    assert of(status, "Ready")["status"] == "True"
    assert status["phase"] == "Ready"
    succeeded = of(status, "TrainingSucceeded")
    assert (succeeded["status"], succeeded["reason"]) == ("False", "TrainingFailed")
    assert "project 1 has no annotated task" in succeeded["message"]
    assert "ask for another: kubectl lsb train cats -n studio" in succeeded["message"]


@pytest.mark.parametrize(
    ("phase", "reason"),
    [("Succeeded", "Promoted"), ("Rejected", "Rejected"), ("AwaitingApproval", "AwaitingApproval")],
)
def test_a_judged_training_succeeded_whatever_the_verdict(
    serving: Any, of: Any, phase: str, reason: str
) -> None:
    figures = {"version": "4-ffffffff", "metric": "metrics/mAP50-95(B)", "candidate": 0.5, "served": 0.4}
    serving.training("cats-after-1", **_finished(phase, **figures))
    succeeded = of(serving.status(), "TrainingSucceeded")
    assert (succeeded["status"], succeeded["reason"]) == ("True", reason)
    assert "metrics/mAP50-95(B) 0.500 against 0.400" in succeeded["message"]
    assert ("kubectl lsb promote cats 4-ffffffff -n studio" in succeeded["message"]) == (
        phase == "AwaitingApproval"
    )


def test_a_first_version_in_a_queue_that_admits_nothing_says_so(world: Any, of: Any) -> None:
    waits = "Job cats-prepare-abc-train waits to be admitted by local queue nosuch"
    world.training(
        "cats-prepare-abc", spec={"reason": "Prepare"}, status={"phase": "Queued", "message": waits}
    )
    world.deployment(0, 0, 0)
    assert waits in of(world.status(target=None), "Ready")["message"]


def test_pods_that_lent_their_place_say_why_the_training_does_not_go_on(serving: Any, of: Any) -> None:
    serving.spec({"training": {"whileTraining": "Pause"}})
    serving.objects[0]["status"] = {"observedGeneration": 1}
    serving.pods.clear()
    serving.training("cats-after-1", status={"phase": "Running", "message": "The image x cannot be pulled"})
    assert "The image x cannot be pulled" in of(serving.status(), "Ready")["message"]
    serving.trainings[0]["status"] |= {"message": "epoch 3 of 9", "progress": {"epoch": 3, "epochs": 9}}
    assert "epoch" not in of(serving.status(), "Ready")["message"]


def test_a_training_that_never_began_says_nothing(serving: Any, of: Any) -> None:
    serving.training("cats-11th", status={"phase": "Failed", "finishedAt": "2026-01-31T11:30:00Z"})
    serving.training("cats-after-2", status={"phase": "Superseded", "finishedAt": "2026-01-31T11:30:00Z"})
    status = serving.status()
    assert of(status, "TrainingSucceeded") is None
    assert "lastTrainings" not in status


def test_the_last_training_is_remembered_when_it_is_deleted(serving: Any, of: Any) -> None:
    serving.training("cats-after-1", **_finished("Failed", message="disk full"))
    before = serving.status()
    serving.trainings.clear()
    after = serving.status()
    assert of(after, "TrainingSucceeded") == of(before, "TrainingSucceeded")
    assert after["lastTrainings"] == before["lastTrainings"]


def test_suspended_says_so_until_its_pods_are_gone(serving: Any, of: Any) -> None:
    serving.spec({"suspend": True})
    status = serving.status()
    assert (of(status, "Ready")["reason"], of(status, "Suspended")["status"]) == ("Suspended", "True")
    assert of(status, "Reconciling")["reason"] == "ScalingDown"
    serving.objects[0]["status"] = {"observedGeneration": 1}
    status = serving.status()
    assert of(status, "Reconciling") is None
    assert status["phase"] == "Suspended"


def test_a_pause_for_a_training_is_no_failure(world: Any, of: Any) -> None:
    world.spec({"training": {"whileTraining": "Pause"}})
    world.deployment(0, 0, 0)
    world.training("cats-after-1", status={"phase": "Running"})
    status = world.status()
    assert of(status, "Ready")["reason"] == "PausedForTraining"
    assert of(status, "Stalled") is None
    assert status["phase"] == "Preparing"


def test_rolled_back_serves_and_is_degraded(serving: Any, of: Any) -> None:
    from lsb_operator.facts import RolledBack

    status = serving.status(rolled_back=RolledBack("4-ffffffff", "its container ended with exit code 139"))
    assert of(status, "Ready")["status"] == "True"
    assert status["phase"] == "Degraded"
    message = of(status, "RolledBack")["message"]
    assert "Version 4-ffffffff was given up: its container ended with exit code 139" in message
    assert "kubectl lsb pin cats 4-ffffffff -n studio" in message


def test_a_redis_that_is_down_degrades_and_no_more(serving: Any, of: Any) -> None:
    serving.add("Deployment", "cats-redis", "redis", status={"observedGeneration": 1, "replicas": 1})
    waiting = {"reason": "ImagePullBackOff", "message": "not found"}
    serving.pod(
        "cats-redis-1",
        "redis",
        status={
            "phase": "Pending",
            "conditions": [],
            "containerStatuses": [{"name": "redis", "restartCount": 0, "state": {"waiting": waiting}}],
        },
    )
    status = serving.status()
    ready = of(status, "Ready")
    assert (ready["status"], ready["reason"], status["phase"]) == ("True", "RedisDown", "Degraded")
    assert "Redis is down" in ready["message"]
    assert "check spec.redis.image" in ready["message"]


def test_half_of_the_pods_is_not_ready(world: Any, of: Any) -> None:
    world.spec({"serving": {"replicas": 2}})
    world.deployment(2, 2, 1)
    world.pod()
    ready = of(world.status(), "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "Deploying")
    assert ready["message"] == "1 of 2 pods are ready to serve version 3-0a1b2c3d."


def test_an_old_version_beside_the_new_one_is_a_roll_out(world: Any, of: Any) -> None:
    world.deployment(replicas=2, updated=1, ready=1)
    world.pod(metadata={"annotations": {"lsbackends.dev/version": "2-ffffffff"}})
    status = world.status()
    assert (of(status, "Ready")["reason"], status["phase"]) == ("RollingOut", "RollingOut")
    assert status["model"] == {"version": "2-ffffffff", "target": "3-0a1b2c3d"}


def test_a_spec_that_the_deployment_controller_has_not_seen_is_not_ready(serving: Any, of: Any) -> None:
    serving.objects[0]["metadata"]["generation"] = 2
    assert of(serving.status(), "Ready")["reason"] == "Applying"


def test_children_still_to_be_applied_are_not_ready(serving: Any, of: Any) -> None:
    status = serving.status(unapplied={("ConfigMap", "cats-model"): ""})
    assert (of(status, "Ready")["reason"], of(status, "Stalled")) == ("Applying", None)


def test_in_place_a_pod_is_asked_for_its_version(serving: Any, of: Any) -> None:
    serving.spec({"serving": {"rollout": "InPlace"}})
    assert of(serving.status(target="4-ffffffff"), "Ready")["status"] == "True", "not asked is not known"
    serving.served = {"cats-6d5f": {"model": {"version": "3-0a1b2c3d"}}}
    assert of(serving.status(target="4-ffffffff"), "Ready")["reason"] == "RollingOut"
    serving.served = {"cats-6d5f": {"model": {"version": "4-ffffffff"}}}
    assert of(serving.status(target="4-ffffffff"), "Ready")["status"] == "True"


def test_no_pods_asked_for_is_ready(world: Any, of: Any) -> None:
    world.spec({"serving": {"replicas": 0}})
    world.deployment(0, 0, 0)
    assert of(world.status(), "Ready")["reason"] == "ScaledToZero"


def test_a_backend_that_is_being_deleted_is_not_stalled(serving: Any, of: Any) -> None:
    serving.backend["metadata"]["deletionTimestamp"] = "2026-01-31T11:59:00Z"
    status = serving.status(refused=("Service cats",))
    assert (of(status, "Ready")["reason"], of(status, "Stalled")) == ("Deleting", None)


def test_a_spec_that_cannot_be_read_keeps_the_rest_of_the_status(serving: Any, of: Any) -> None:
    from lsb_operator.status import unreadable_status

    before = serving.status()
    after = unreadable_status(serving.facts(), "spec.model.task: unknown task 'count'")
    assert after["model"] == before["model"]
    assert of(after, "Stalled")["reason"] == "InvalidSpec"
    assert "unknown task 'count'" in of(after, "Ready")["message"]
    assert "update the operator" in of(after, "Ready")["message"]
    assert after["phase"] == "Stalled"


def _register_job(world: Any, **status: Any) -> str:
    from lsb_operator.jobs.register import register_name

    name = register_name(world.model, world.resolved)
    world.add("Job", name, "register", status=status)
    return name


def _register_pod(world: Any, job: str, message: str) -> None:
    ended = {"exitCode": 1, "reason": "Error", "message": message, "finishedAt": "2026-01-31T11:59:00Z"}
    world.pod(
        f"{job}-x",
        "register",
        metadata={"labels": {"batch.kubernetes.io/job-name": job}},
        status={
            "phase": "Failed",
            "conditions": [],
            "containerStatuses": [{"name": "lsb", "restartCount": 0, "state": {"terminated": ended}}],
        },
    )


@pytest.mark.parametrize("studio", [{"projects": []}, {"projects": [1], "register": False}])
def test_without_registration_there_is_no_condition(serving: Any, of: Any, studio: dict[str, Any]) -> None:
    serving.spec({"labelStudio": studio})
    assert of(serving.status(), "Registered") is None


def test_a_finished_registration_is_true(serving: Any, of: Any) -> None:
    serving.spec(PROJECTS)
    assert of(serving.status(), "Registered")["reason"] == "RegistrationPending"
    _register_job(serving, conditions=[{"type": "Complete", "status": "True"}])
    registered = of(serving.status(), "Registered")
    assert registered["message"] == "Registered at http://label-studio.studio.svc:8080 in projects 1, 2."


def test_label_studio_refusing_is_told_in_its_own_words(serving: Any, of: Any) -> None:
    serving.spec(PROJECTS)
    job = _register_job(serving, active=1)
    _register_pod(serving, job, "error: Label Studio at http://ls refuses the token: make a new one.\n")
    status = serving.status()
    registered = of(status, "Registered")
    assert (registered["status"], registered["reason"]) == ("False", "RegistrationFailed")
    assert "Label Studio at http://ls refuses the token: make a new one" in registered["message"]
    assert f"kubectl -n studio delete job {job}" in registered["message"]
    assert of(status, "Ready")["status"] == "True"
    assert status["phase"] == "Degraded"


@pytest.mark.parametrize("message", ["", '{"outcome": "Fai'])
def test_a_registration_without_readable_words_points_to_its_log(serving: Any, of: Any, message: str) -> None:
    serving.spec(PROJECTS)
    job = _register_job(serving, active=1)
    _register_pod(serving, job, message)
    registered = of(serving.status(), "Registered")
    assert (
        f"ended with exit code 1; its log says more: kubectl -n studio logs {job}-x" in registered["message"]
    )


def test_a_registration_that_is_tried_again_does_not_flap(serving: Any, of: Any) -> None:
    serving.spec(PROJECTS)
    job = _register_job(serving, active=1)
    _register_pod(serving, job, "error: no answer")
    before = of(serving.status(), "Registered")
    serving.pods.pop()
    assert of(serving.status(), "Registered") == before
    serving.objects.pop()
    assert of(serving.status(), "Registered") == before


def test_a_changed_spec_is_not_registered_by_an_earlier_job(serving: Any, of: Any) -> None:
    serving.spec(PROJECTS)
    _register_job(serving, conditions=[{"type": "Complete", "status": "True"}])
    serving.status()
    serving.spec({"labelStudio": {"projects": [1, 2, 3]}})
    serving.backend["metadata"]["generation"] = 5
    assert of(serving.status(), "Registered")["status"] == "Unknown"


def test_pods_that_are_too_many_are_not_what_was_asked_for(world: Any, of: Any) -> None:
    world.deployment(replicas=3, updated=3, ready=1)
    world.pod()
    status = world.status()
    assert (of(status, "Ready")["status"], of(status, "Ready")["reason"]) == ("False", "ScalingDown")
    world.objects[0]["status"] |= {"replicas": 2, "updatedReplicas": 1}
    assert of(world.status(), "Ready")["reason"] == "RollingOut"


QUOTA = "is forbidden: exceeded quota: strict, requested: count/jobs.batch=1, used: 1, limited: 1"


@pytest.mark.parametrize("key", [("Job", "mine-train"), ("LabelStudioTraining", "cats-after-3")])
def test_a_training_that_is_refused_is_told_and_leaves_it_ready(serving: Any, of: Any, key: Any) -> None:
    serving.training("cats-after-1", **_finished("Rejected"))
    status = serving.status(held={key: QUOTA})
    assert of(status, "Ready")["status"] == "True"
    told = of(status, "TrainingSucceeded")
    assert (told["status"], told["reason"]) == ("False", "QuotaExceeded")
    assert QUOTA.partition(": ")[2] in told["message"]
    assert key[1] in told["message"]
    assert of(serving.status(), "TrainingSucceeded")["reason"] == "Rejected"


def test_a_first_version_that_is_refused_keeps_it_from_being_ready(world: Any, of: Any) -> None:
    world.known["target"] = None
    world.deployment(0, 0, 0)
    status = world.status(held={("LabelStudioTraining", "cats-prepare-1a2"): QUOTA})
    assert (of(status, "Ready")["status"], of(status, "Ready")["reason"]) == ("False", "QuotaExceeded")
    assert "cats-prepare-1a2" in of(status, "Ready")["message"]


def test_a_right_that_is_missing_is_told_with_what_gives_it(world: Any, of: Any) -> None:
    world.known["target"] = None
    answer = 'jobs.batch is forbidden: User "system:serviceaccount:a:b" cannot create resource "jobs"'
    message = of(world.status(held={("Job", "cats-prepare-1a2-train"): answer}), "Ready")["message"]
    assert "install the Roles of this release" in message
