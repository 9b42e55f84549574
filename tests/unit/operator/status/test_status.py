"""The rest of the status: where the backend is, what it serves, what was trained."""

from typing import Any

import pytest


def test_the_scale_subresource_finds_the_pods(serving: Any) -> None:
    status = serving.status()
    assert status["replicas"] == 1
    assert status["selector"] == "app.kubernetes.io/component=serve,lsbackends.dev/backend=cats"


def test_no_deployment_is_no_replica(world: Any) -> None:
    assert world.status(target=None)["replicas"] == 0


@pytest.mark.parametrize(
    ("ingress", "url"),
    [
        (None, "http://cats.studio.svc:9090"),
        ({"host": "ml.example.org", "path": "/cats"}, "http://ml.example.org/cats"),
        ({"host": "ml.example.org", "tls": {"secretName": "ml-tls"}}, "https://ml.example.org/"),
    ],
)
def test_the_url_is_the_one_that_people_open(serving: Any, ingress: Any, url: str) -> None:
    serving.spec({"ingress": ingress})
    assert serving.status()["url"] == url


def test_what_null_became_is_shown(serving: Any) -> None:
    assert serving.status()["resolved"]["weights"] == "yolo11n.pt"


def test_what_a_pod_said_stays_until_it_serves_something_else(serving: Any) -> None:
    serving.served = {
        "cats-6d5f": {
            "model": {"version": "3-0a1b2c3d", "metrics": {"weights": {"a": 0.1}, "exported": {"b": 0.2}}},
            "unmatched": {
                "1": {"labels": ["Dog", "Cat"], "classes": []},
                "2": {"labels": ["Dog"], "classes": []},
            },
        }
    }
    told = serving.status()["model"]
    assert (told["metrics"], told["unmatchedLabels"]) == ({"b": 0.2}, ["Cat", "Dog"])
    serving.served = {}
    assert serving.status()["model"] == told
    serving.pods[0]["metadata"]["annotations"] = {"lsbackends.dev/version": "4-ffffffff"}
    assert serving.status(target="4-ffffffff")["model"] == {"version": "4-ffffffff", "target": "4-ffffffff"}


def test_ten_trainings_are_kept_newest_first(serving: Any) -> None:
    for number in range(14):
        finished = {"phase": "Rejected", "job": "j", "finishedAt": f"2026-01-31T10:{number:02}:00Z"}
        serving.training(f"cats-after-{number}", status=finished)
    names = [line["name"] for line in serving.status()["lastTrainings"]]
    assert names == [f"cats-after-{number}" for number in range(13, 3, -1)]
    serving.trainings.clear()
    finished = {"phase": "Succeeded", "job": "j", "finishedAt": "2026-01-31T11:00:00Z"}
    serving.training("cats-after-14", status=finished)
    assert [line["name"] for line in serving.status()["lastTrainings"]] == ["cats-after-14", *names[:9]]


def test_the_training_that_runs_is_shown_before_those_that_wait(serving: Any) -> None:
    serving.training("waits", metadata={"creationTimestamp": "2026-01-31T09:00:00Z"})
    serving.training("runs", status={"phase": "Running", "progress": {"epoch": 12, "epochs": 100}})
    assert serving.status()["training"] == {"name": "runs", "phase": "Running", "progress": "10/100"}
    serving.trainings.pop()
    assert serving.status()["training"] == {"name": "waits", "phase": "Pending"}


def test_progress_comes_in_steps(serving: Any) -> None:
    from lsb_operator.status import changed

    training = serving.training("runs", status={"phase": "Running"})
    writes, before = 0, serving.status()
    for epoch in range(1, 101):
        training["status"]["progress"] = {"epoch": epoch, "epochs": 100}
        after = serving.status()
        writes, before = writes + changed(before, after), after
    assert writes == 21
    assert before["training"]["progress"] == "100/100"


def test_objects_of_others_are_not_ours(serving: Any) -> None:
    from lsb_operator.observe import owned

    ours = serving.objects[0]["metadata"]
    assert owned(ours, serving.backend)
    assert owned(ours | {"ownerReferences": []}, serving.backend), "a retained volume has no owner"
    assert not owned(ours | {"labels": {}}, serving.backend)
    earlier = [{"kind": "LabelStudioBackend", "uid": "b-0", "controller": True}]
    assert not owned(ours | {"ownerReferences": earlier}, serving.backend)


def test_in_place_the_first_version_is_known_without_asking(serving: Any) -> None:
    serving.spec({"serving": {"rollout": "InPlace"}})
    assert serving.status()["model"]["version"] == "3-0a1b2c3d"
    assert serving.status(target="4-ffffffff")["model"]["version"] == "3-0a1b2c3d"
