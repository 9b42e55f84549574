"""What the operator asks for itself, and what it forgets."""


def test_the_first_version_is_made_by_a_training(new_world) -> None:
    world = new_world()
    world.settle()
    (name,) = world.trainings
    assert name.startswith("cats-prepare-")
    assert world.trainings[name]["spec"]["reason"] == "Prepare"
    (job,) = world.jobs
    assert "prepare" in world.jobs[job]["spec"]["template"]["spec"]["containers"][0]["command"]
    world.end(job, outcome="Prepared", version="7-0a1b2c3d")
    world.settle()
    assert world.phase(name) == "Succeeded"
    assert world.model.target == "7-0a1b2c3d"
    assert len(world.trainings) == 1


def test_a_first_version_that_failed_is_tried_again_for_another_spec_only(new_world) -> None:
    world = new_world()
    world.settle()
    (first,) = world.trainings
    world.end(f"{first}-train", message="yolo.pt: 404 Not Found", code=1, reason="BackoffLimitExceeded")
    world.settle()
    assert world.phase(first) == "Failed"
    assert "404 Not Found" in world.status(first)["message"]
    assert len(world.trainings) == 1
    world.backend["spec"]["model"] = {"weights": "yolo11s.pt"}
    world.settle()
    assert len(world.trainings) == 2
    assert len(world.running()) == 1


def test_a_backend_that_is_pinned_from_its_first_day_gets_a_first_version_too(new_world) -> None:
    world = new_world({"model": {"version": "7-0a1b2c3d"}})
    world.prepared("9-eeeeeeee")
    assert world.model.target == "7-0a1b2c3d"
    world.backend["spec"]["model"] = {}
    world.settle()
    assert world.model.target == "9-eeeeeeee"
    assert len(world.trainings) == 1


def test_a_pin_that_is_taken_back_does_not_stand_for_a_first_version_that_failed(new_world) -> None:
    world = new_world({"model": {"version": "7-0a1b2c3d", "weights": "typo.pt"}})
    world.settle()
    (first,) = world.trainings
    world.end(f"{first}-train", message="typo.pt: 404 Not Found", code=1, reason="BackoffLimitExceeded")
    world.backend["spec"]["model"] = {"weights": "yolo11s.pt"}
    world.settle()
    (job,) = world.running()
    world.end(job, outcome="Prepared", version="0-eeeeeeee")
    world.settle()
    assert world.model.target == "0-eeeeeeee"


def test_a_backend_that_was_a_dummy_gets_a_first_version_of_its_task(new_world) -> None:
    world = new_world({"model": {"task": "dummy"}})
    world.prepared("0-dddddddd")
    world.backend["spec"]["model"] = {"task": "detect"}
    world.settle()
    (job,) = world.running()
    world.end(job, outcome="Prepared", version="1-eeeeeeee")
    world.settle()
    assert world.model.target == "1-eeeeeeee"
    assert world.model.previous == "0-dddddddd"


def test_history_is_pruned_to_what_is_needed(new_world) -> None:
    world = new_world({"training": {"keepVersions": 3}})
    world.prepared()
    for number in range(1, 9):
        world.later(minutes=1)
        name = f"cats-after-{number - 1}"
        world.ask(name, "Button")
        world.settle()
        outcome = "Promoted" if number <= 2 else "Rejected"
        world.end(f"{name}-train", outcome=outcome, version=f"{number}-bbbbbbbb")
        world.settle()
    assert sum("after" in name for name in world.trainings) == 8
    world.later(hours=1)
    world.settle()
    kept = {name for name in world.trainings if "after" in name}
    assert kept == {f"cats-after-{number}" for number in (0, 1, 5, 6, 7)}
    assert any("prepare" in name for name in world.trainings)
    assert world.model.target == "2-bbbbbbbb"


def test_a_schedule_asks_once_for_all_that_was_missed(new_world) -> None:
    world = new_world({"training": {"triggers": {"schedule": "0 2 * * *"}}})
    world.prepared()
    assert world.plan().later == 14 * 3600
    world.later(days=5)
    world.settle()
    assert [name for name in world.trainings if "after" in name] == ["cats-after-0"]
    world.start("cats-after-0-train")
    world.settle()
    world.end("cats-after-0-train", outcome="Rejected", version="1-bbbbbbbb")
    world.settle()
    assert [name for name in world.trainings if "after" in name] == ["cats-after-0"]
    world.later(days=1)
    world.settle()
    assert world.running() == ["cats-after-1-train"]


def test_a_schedule_does_not_reach_back_before_it_was_written(world) -> None:
    world.later(days=5)
    world.backend["spec"]["training"] = {"triggers": {"schedule": "0 2 * * *"}}
    fields = {"f:spec": {"f:training": {"f:triggers": {"f:schedule": {}}}}}
    at = world.now.isoformat()
    world.backend["metadata"]["managedFields"] = [{"manager": "kubectl", "time": at, "fieldsV1": fields}]
    world.settle()
    assert world.running() == []
    world.later(days=1)
    world.settle()
    assert world.running() == ["cats-after-0-train"]


def test_what_ended_before_the_backend_was_made_is_not_its_history(world) -> None:
    world.later(days=1)
    world.backend["metadata"] |= {"uid": "backend-2", "creationTimestamp": "2026-11-23T12:00:00Z"}
    world.model = type(world.model)()
    world.jobs.clear()
    world.pods.clear()
    world.settle()
    (job,) = world.running()
    world.end(job, outcome="Prepared", version="0-ffffffff")
    world.settle()
    assert world.model.target == "0-ffffffff"


def test_a_backend_made_in_the_second_in_which_its_predecessor_s_history_ended_has_none_of_it(world) -> None:
    (prepared,) = world.trainings
    ended = world.trainings[prepared]["status"]
    assert ended["backendUID"] == "backend-1"
    world.backend["metadata"] |= {"uid": "backend-2", "creationTimestamp": ended["finishedAt"]}
    world.model = type(world.model)()
    world.jobs.clear()
    world.pods.clear()
    world.settle()
    assert world.running() == [f"{prepared}-train"]
    world.end(f"{prepared}-train", outcome="Prepared", version="0-ffffffff")
    world.settle()
    assert world.trainings[prepared]["status"]["backendUID"] == "backend-2"
    assert world.model.target == "0-ffffffff"


def test_history_that_an_older_release_recorded_is_told_apart_by_its_times(world) -> None:
    (prepared,) = world.trainings
    del world.trainings[prepared]["status"]["backendUID"]
    world.later(days=1)
    world.settle()
    assert world.running() == []
    assert "backendUID" not in world.trainings[prepared]["status"]
    world.backend["metadata"] |= {"uid": "backend-2", "creationTimestamp": "2026-11-23T12:00:00Z"}
    world.model = type(world.model)()
    world.jobs.clear()
    world.pods.clear()
    world.settle()
    assert world.running() == [f"{prepared}-train"]
