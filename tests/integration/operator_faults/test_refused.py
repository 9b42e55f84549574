"""What the cluster refuses, through a real API server: backend and training say it, in its words."""

import json
from typing import Any

import pytest
from faults.kubelet import FIRST
from faults.life import SPEC, ask_for_training, offer_volume, serves, wait_for
from operating import Studio

URL = {"labelStudio": {"url": SPEC["labelStudio"]["url"]}}


def conditions(studio: Studio, training: str) -> dict[str, Any]:
    """The conditions of a training by their type."""
    status = (studio.get("LabelStudioTraining", training) or {}).get("status") or {}
    return {one["type"]: one for one in status.get("conditions") or []}


def phase(studio: Studio, training: str) -> str:
    found = studio.get("LabelStudioTraining", training) or {}
    return str((found.get("status") or {}).get("phase"))


def reason(studio: Studio, training: str) -> str:
    return str(conditions(studio, training).get("Succeeded", {}).get("reason"))


def first_version(studio: Studio, backend: str) -> str:
    """The name of the training that makes the first version of such a backend."""
    wait_for(lambda: any("-prepare-" in name for name in studio.names("LabelStudioTraining")), "it is asked")
    found = next(name for name in studio.names("LabelStudioTraining") if "-prepare-" in name)
    return found.replace("cats", backend)


def limit(studio: Studio, kind: str, spec: dict[str, Any]) -> None:
    """Put a ResourceQuota or LimitRange named `strict` into the namespace."""
    body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "strict"}, "spec": spec}
    studio.kubectl("apply", "--filename=-", input=json.dumps(body))
    path = f"/api/v1/namespaces/{studio.name}/resourcequotas/strict"
    if kind == "ResourceQuota":
        wait_for(
            lambda: studio.api.get(path).get("status", {}).get("hard") == spec["hard"], "the quota is counted"
        )


def test_a_training_of_another_backend_that_has_the_name_is_told(studio: Studio) -> None:
    studio.apply(**URL)
    taken = first_version(studio, "dogs")
    ask_for_training(studio, taken, "nobody")
    offer_volume(studio, "dogs-weights")
    studio.apply("dogs", **URL)
    wait_for(lambda: studio.condition("Stalled", "dogs").get("reason") == "NameConflict", "it is told")
    assert f"LabelStudioTraining {taken} exists" in studio.condition("Stalled", "dogs")["message"]
    assert studio.condition("Ready", "dogs")["reason"] == "NameConflict"
    there = studio.get("LabelStudioTraining", taken)
    assert there["spec"]["backend"] == "nobody"
    studio.kubectl("delete", "lstraining", taken)
    serves(studio, FIRST, "dogs")
    assert not studio.condition("Stalled", "dogs")


def test_a_training_whose_job_s_name_others_have_says_so_itself(studio: Studio) -> None:
    studio.apply(**URL)
    serves(studio, FIRST)
    studio.kubectl("create", "job", "mine-train", "--image=theirs")
    ask_for_training(studio, "mine", reason="Manual")
    wait_for(lambda: reason(studio, "mine") == "NameConflict", "the training says it")
    said = conditions(studio, "mine")
    assert said["Succeeded"]["status"] == "Unknown"
    assert said["Stalled"]["status"] == "True"
    assert "Job mine-train exists" in said["Stalled"]["message"]
    assert "delete or rename it" in said["Stalled"]["message"]
    # Tried again and again, it is told once.
    writes = [one for one in studio.writes() if one == "patch labelstudiotrainings/mine"]
    studio.patch("lsb", "cats", {"spec": {"training": {"epochs": 7}}}, "--type=merge")
    wait_for(lambda: studio.status()["observedGeneration"] == 2, "it was tried again")
    assert [one for one in studio.writes() if one == "patch labelstudiotrainings/mine"] == writes
    studio.kubectl("delete", "job", "mine-train", "--wait=false")
    wait_for(lambda: phase(studio, "mine") == "Rejected", "with the name free it has been done")
    assert "Stalled" not in conditions(studio, "mine")


def test_a_quota_that_forbids_a_job_is_told_in_the_api_server_s_words(studio: Studio) -> None:
    limit(studio, "ResourceQuota", {"hard": {"count/jobs.batch": "0"}})
    studio.apply(**URL)
    wait_for(lambda: studio.condition("Ready").get("reason") == "QuotaExceeded", "the backend says it")
    assert "exceeded quota: strict" in studio.condition("Ready")["message"]
    first = first_version(studio, "cats")
    wait_for(lambda: reason(studio, first) == "QuotaExceeded", "the first version's training says it")
    limit(studio, "ResourceQuota", {"hard": {"count/jobs.batch": "1"}})
    serves(studio, FIRST)
    ask_for_training(studio, "mine", reason="Manual")
    wait_for(lambda: reason(studio, "mine") == "QuotaExceeded", "the training says it")
    message = conditions(studio, "mine")["Succeeded"]["message"]
    assert "exceeded quota: strict, requested: count/jobs.batch=1" in message
    assert "To do: raise the ResourceQuota" in message
    assert phase(studio, "mine") == "Pending"
    wait_for(lambda: studio.condition("TrainingSucceeded").get("reason") == "QuotaExceeded", "so does it")
    assert studio.condition("TrainingSucceeded")["message"] == message
    # The old weights serve all the same.
    assert studio.condition("Ready")["status"] == "True"
    limit(studio, "ResourceQuota", {"hard": {"count/jobs.batch": "5"}})
    wait_for(lambda: phase(studio, "mine") == "Rejected", "with room for it, it has been done")
    wait_for(lambda: studio.condition("TrainingSucceeded")["reason"] == "Rejected", "that is all it says")


def test_a_quota_that_forbids_registering_is_told_there(studio: Studio) -> None:
    limit(studio, "ResourceQuota", {"hard": {"count/jobs.batch": "1"}})
    studio.apply(**SPEC)
    wait_for(lambda: studio.condition("Registered").get("reason") == "QuotaExceeded", "it is told")
    assert "exceeded quota: strict" in studio.condition("Registered")["message"]
    assert studio.condition("Ready")["status"] == "True"
    limit(studio, "ResourceQuota", {"hard": {"count/jobs.batch": "5"}})
    wait_for(lambda: studio.condition("Registered").get("status") == "True", "it is registered after all")
    studio.kubectl("delete", "lsb", "cats", "--wait=false")
    wait_for(lambda: studio.get("LabelStudioBackend", "cats") is None, "it goes")


@pytest.mark.parametrize(
    ("kind", "spec", "words"),
    [
        ("LimitRange", {"limits": [{"type": "Container", "max": {"cpu": "1m"}}]}, "usage per Container"),
        ("ResourceQuota", {"hard": {"requests.nvidia.com/gpu": "0"}}, "exceeded quota: strict"),
    ],
)
def test_pods_of_a_training_that_are_refused_are_told(
    studio: Studio, kind: str, spec: dict[str, Any], words: str
) -> None:
    studio.apply(**URL)
    serves(studio, FIRST)
    limit(studio, kind, spec)
    studio.apply(**URL, training={"resources": {"limits": {"cpu": "2", "nvidia.com/gpu": 1}}})
    ask_for_training(studio, "mine", reason="Manual")
    wait_for(lambda: reason(studio, "mine") == "QuotaExceeded", "the training says it")
    message = conditions(studio, "mine")["Succeeded"]["message"]
    assert words in message
    assert "The pods of Job mine-train are not created" in message
    assert phase(studio, "mine") == "Pending"
    wait_for(lambda: studio.condition("TrainingSucceeded").get("reason") == "QuotaExceeded", "so does it")
    assert studio.condition("Ready")["status"] == "True"


def test_a_quota_that_forbids_any_other_child_is_told(studio: Studio) -> None:
    limit(studio, "ResourceQuota", {"hard": {"services": "0"}})
    studio.apply(**URL)
    wait_for(lambda: studio.condition("Ready").get("reason") == "QuotaExceeded", "it is told")
    message = studio.condition("Ready")["message"]
    assert "Service cats cannot be applied" in message
    assert "exceeded quota: strict" in message
    limit(studio, "ResourceQuota", {"hard": {"services": "3"}})
    serves(studio, FIRST)
