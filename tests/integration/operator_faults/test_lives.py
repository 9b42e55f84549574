"""What a backend goes through in the hands of people and of Kubernetes, with a stand-in for the node."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cluster.api import RefusedError
from faults.keeper import Keeper
from faults.kubelet import AWAY, BETTER, FIRST, LOADED, LOADING, STUCK
from faults.life import SPEC, ask_for_training, offer_volume, serves, wait_for
from faults.trial import Laboratory
from operating import Studio

URL = {"labelStudio": {"url": SPEC["labelStudio"]["url"]}}


@pytest.fixture
def studio(laboratory: Laboratory) -> Studio:
    """A namespace with a volume for the backend `cats`."""
    made = laboratory.studio()
    offer_volume(made)
    return made


@pytest.fixture
def keeper(studio: Studio, laboratory: Laboratory, tmp_path: Path) -> Iterator[Keeper]:
    """The operator of that namespace."""
    with Keeper(studio, laboratory.account, tmp_path / "operator.log") as running:
        yield running


def phase(studio: Studio, training: str) -> str:
    found = studio.get("LabelStudioTraining", training) or {}
    return str((found.get("status") or {}).get("phase"))


def asked_for(studio: Studio) -> int:
    """How many serving pods the operator wants."""
    return int(studio.get("Deployment", "cats")["spec"]["replicas"])


def registered(studio: Studio) -> None:
    studio.apply(**SPEC)
    serves(studio, FIRST)
    wait_for(lambda: studio.condition("Registered").get("status") == "True", "it is registered")


def test_pods_that_lent_their_gpu_come_back_though_the_operator_died_meanwhile(
    studio: Studio, keeper: Keeper
) -> None:
    studio.apply(**URL, training={"whileTraining": "Pause", "backoffLimit": 0})
    serves(studio, FIRST)
    ask_for_training(studio, "it-holds", reason="Manual")
    wait_for(lambda: phase(studio, "it-holds") == "Running" and asked_for(studio) == 0, "they are lent")
    wait_for(lambda: studio.condition("Ready").get("reason") == "PausedForTraining", "it is said")
    starts = keeper.starts
    keeper.kill()
    studio.kubectl("delete", "lstraining", "it-holds", "--wait=false")
    wait_for(lambda: keeper.starts > starts, "it was dead")
    serves(studio, FIRST)
    assert asked_for(studio) == 1


def test_pods_are_not_lent_to_a_job_that_is_not_admitted(studio: Studio, keeper: Keeper) -> None:
    studio.apply(**URL, training={"whileTraining": "Pause", "queue": "gpus"})
    _admit(studio, "prepare")
    serves(studio, FIRST)
    ask_for_training(studio, "mine", reason="Manual")
    wait_for(lambda: phase(studio, "mine") == "Queued", "it waits to be admitted")
    job = studio.get("Job", "mine-train")
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"
    assert asked_for(studio) == 1
    _admit(studio, "mine")
    wait_for(lambda: phase(studio, "mine") == "Rejected", "admitted, it has been done")
    serves(studio, FIRST)


def test_replicas_that_an_autoscaler_set_are_kept(studio: Studio, keeper: Keeper) -> None:
    studio.apply(**URL)
    serves(studio, FIRST)
    # An autoscaler writes to the same subresource.
    studio.kubectl("scale", "lsb", "cats", "--replicas=3")
    wait_for(lambda: asked_for(studio) == 3 and studio.status().get("replicas") == 3, "there are three")
    studio.apply(**URL, training={"epochs": 7})
    ask_for_training(studio, "cats-after-0")
    serves(studio, BETTER)
    assert studio.get("LabelStudioBackend", "cats")["spec"]["training"]["epochs"] == 7
    assert asked_for(studio) == 3


def test_a_backend_applied_again_over_its_volume_serves_what_it_had_learned(
    studio: Studio, keeper: Keeper
) -> None:
    studio.apply(**URL)
    serves(studio, FIRST)
    ask_for_training(studio, "cats-after-0")
    serves(studio, BETTER)
    volume = studio.get("PersistentVolumeClaim", "cats-weights")["metadata"]["uid"]
    studio.kubectl("delete", "lsb", "cats", "--wait=false")
    wait_for(lambda: studio.get("LabelStudioBackend", "cats") is None, "it goes")
    wait_for(lambda: studio.get("Deployment", "cats") is None, "and what is its own")
    studio.apply(**URL)
    serves(studio, BETTER)
    assert studio.get("PersistentVolumeClaim", "cats-weights")["metadata"]["uid"] == volume


def test_a_gpu_that_no_node_has_condemns_no_version(studio: Studio, keeper: Keeper) -> None:
    studio.apply(**URL)
    serves(studio, FIRST)
    studio.apply(**URL, serving={"resources": {"limits": {"nvidia.com/gpu": 1}}})
    wait_for(lambda: "nvidia.com/gpu" in studio.condition("Ready").get("message", ""), "it is said")
    ask_for_training(studio, "cats-after-0")
    wait_for(lambda: studio.status()["model"].get("target") == BETTER, "the better one is to be served")
    wait_for(lambda: studio.condition("Ready").get("reason") == "GPUNotAvailable", "it is waited for")
    assert not studio.condition("RolledBack")
    studio.apply(**URL, serving={"resources": {"limits": {"cpu": "1"}}})
    serves(studio, BETTER)
    assert not studio.condition("RolledBack")


def test_a_model_that_loads_is_no_failure_and_one_that_is_never_loaded_is(
    studio: Studio, keeper: Keeper
) -> None:
    studio.apply(**URL)
    serves(studio, FIRST)
    studio.apply(**URL, model={"version": LOADING})
    wait_for(lambda: _told(studio, "Unhealthy"), "the node says that it is not ready yet")
    studio.apply(**URL, model={"version": LOADING}, training={"epochs": 7})
    wait_for(lambda: studio.status()["observedGeneration"] == 3, "it was looked at once more")
    assert studio.condition("Ready")["reason"] == "RollingOut"
    studio.kubectl("label", "pods", "--all", f"{LOADED}=")
    serves(studio, LOADING)
    assert not _told(studio, "ProbeFailing")
    studio.apply(**URL, model={"version": STUCK})
    wait_for(lambda: studio.condition("Ready").get("reason") == "ProbeFailing", "it is told")
    assert "HTTP probe failed with statuscode: 503" in studio.condition("Ready")["message"]
    wait_for(lambda: _told(studio, "ProbeFailing"), "in an Event too")


def test_a_candidate_waits_for_a_person_and_is_served_on_their_word(studio: Studio, keeper: Keeper) -> None:
    studio.apply(**URL, training={"gate": {"approval": "Manual"}})
    serves(studio, FIRST)
    ask_for_training(studio, "cats-after-0-awaits")
    wait_for(lambda: phase(studio, "cats-after-0-awaits") == "AwaitingApproval", "it waits")
    wait_for(lambda: studio.condition("TrainingSucceeded").get("reason") == "AwaitingApproval", "it is said")
    assert f"kubectl lsb promote cats {BETTER}" in studio.condition("TrainingSucceeded")["message"]
    serves(studio, FIRST)
    command = [sys.executable, "-m", "lsb_cli", "promote", "cats", BETTER, f"--namespace={studio.name}"]
    environment = os.environ | {"KUBECONFIG": str(studio.cluster.kubeconfig)}
    subprocess.run(command, check=True, env=environment, capture_output=True)
    serves(studio, BETTER)
    assert phase(studio, "cats-after-0-awaits") == "Succeeded"


def test_a_project_that_somebody_makes_later_is_found_soon_and_without_a_storm(
    studio: Studio, keeper: Keeper
) -> None:
    studio.kubectl("create", "configmap", AWAY)
    studio.apply(**SPEC)
    wait_for(lambda: studio.condition("Registered").get("reason") == "RegistrationFailed", "it is told")
    assert "Label Studio has no project 1" in studio.condition("Registered")["message"]
    wait_for(lambda: len(_register_jobs(studio)) == 2, "it is tried again")
    since = studio.condition("Registered")["lastTransitionTime"]
    starts = keeper.starts
    keeper.kill()
    wait_for(lambda: keeper.starts > starts, "another process goes on")
    assert studio.condition("Registered")["lastTransitionTime"] == since
    studio.kubectl("delete", "configmap", AWAY)
    wait_for(lambda: studio.condition("Registered").get("status") == "True", "it is registered after all")
    first, second, third = _register_jobs(studio)
    # Ten seconds at least lie between them, and later more, though the operator died.
    assert timedelta(seconds=10) <= second - first < third - second
    assert len(_told(studio, "RegistrationFailed")) == 1


def test_deleted_in_the_foreground_it_is_taken_out_of_its_projects(studio: Studio, keeper: Keeper) -> None:
    registered(studio)
    studio.kubectl("delete", "lsb", "cats", "--cascade=foreground", "--wait=false")
    wait_for(lambda: studio.get("LabelStudioBackend", "cats") is None, "it goes")
    assert len(_made_unregistering(studio)) == 1
    assert studio.get("Deployment", "cats") is None
    assert studio.get("PersistentVolumeClaim", "cats-weights") is not None


def test_a_backend_that_moves_leaves_its_former_label_studio_before_it_enters_another(
    studio: Studio, keeper: Keeper
) -> None:
    registered(studio)
    studio.apply(labelStudio=SPEC["labelStudio"] | {"url": "http://other:8080"})
    wait_for(lambda: "http://other:8080" in _registered_at(studio), "it is registered in the other one")
    kinds = [name.split("-")[1] for name in _made_jobs(studio) if "register" in name]
    assert kinds == ["register", "unregister", "register"]
    (entered,) = (name for name in studio.names("Job") if "register" in name)
    assert entered == [name for name in _made_jobs(studio) if "-register-" in name][-1]


def test_a_register_job_that_hangs_is_ended_before_its_work_is_undone(studio: Studio, keeper: Keeper) -> None:
    place = SPEC["labelStudio"] | {"tokenSecretRef": {"name": "the-token"}}
    token = ("secret", "generic", "the-token", "--from-literal=token=abc")
    studio.kubectl("create", *token)
    studio.apply(labelStudio=place)
    wait_for(lambda: _registered_at(studio), "it is registered")
    studio.kubectl("delete", "secret", "the-token")
    studio.apply(labelStudio=place | {"projects": [1, 2]})
    wait_for(lambda: len(_register_jobs(studio)) == 2, "a register Job waits for the Secret")
    studio.apply(labelStudio=SPEC["labelStudio"] | {"url": "http://other:8080"})
    wait_for(lambda: len(_made_unregistering(studio)) == 2, "both are to be undone")
    studio.kubectl("create", *token)
    wait_for(lambda: "http://other:8080" in _registered_at(studio), "it is registered in the other one")
    kinds = [name.split("-")[1] for name in _made_jobs(studio) if "register" in name]
    assert kinds == ["register"] * 2 + ["unregister"] * 2 + ["register"]


def test_a_namespace_that_is_deleted_is_not_held_up(
    studio: Studio, laboratory: Laboratory, tmp_path: Path
) -> None:
    # Where the operator's own Lease is, which does not go with the namespace.
    home = laboratory.studio()
    command = [sys.executable, "-m", "lsb_cli", "operator", f"--namespace={studio.name}"]
    command += [f"--lease-namespace={home.name}", "--port=0"]
    environment = os.environ | {"KUBECONFIG": str(laboratory.account)}
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env=environment) as process,
    ):
        try:
            registered(studio)
            studio.cluster.kubectl("delete", "namespace", studio.name, "--wait=false")
            wait_for(lambda: _is_gone(studio), "the namespace is gone")
        finally:
            process.kill()
    assert _made_unregistering(studio) == []


def _admit(studio: Studio, training: str) -> None:
    """A stand-in for Kueue."""

    def waiting() -> list[dict[str, Any]]:
        jobs = studio.api.get(studio.path("Job"))["items"]
        return [one for one in jobs if training in one["metadata"]["name"] and one["spec"].get("suspend")]

    wait_for(waiting, "its Job waits to be admitted")
    name = waiting()[0]["metadata"]["name"]
    studio.patch("job", name, {"spec": {"suspend": False}}, "--type=merge")


def _register_jobs(studio: Studio) -> list[datetime]:
    """When the API server took each register Job."""
    return [
        datetime.fromisoformat(one["requestReceivedTimestamp"])
        for one in studio.requests()
        if one["verb"] == "create"
        and one["responseStatus"]["code"] == 201
        and "-register-" in one["objectRef"].get("name", "")
    ]


def _told(studio: Studio, reason: str) -> list[Any]:
    """The Events of that reason."""
    path = f"/api/v1/namespaces/{studio.name}/events"
    return list(studio.api.get(path, fieldSelector=f"reason={reason}")["items"])


def _is_gone(studio: Studio) -> bool:
    try:
        studio.api.get(f"/api/v1/namespaces/{studio.name}")
    except RefusedError as error:
        return error.code == 404
    return False


def _registered_at(studio: Studio) -> str:
    told = studio.condition("Registered")
    return str(told["message"]) if told.get("status") == "True" else ""


def _made_unregistering(studio: Studio) -> list[str]:
    return [name for name in _made_jobs(studio) if "-unregister-" in name]


def _made_jobs(studio: Studio) -> list[str]:
    """Jobs that the API server has taken, the first one first."""
    made = [
        one for one in studio.requests() if one["verb"] == "create" and one["responseStatus"]["code"] == 201
    ]
    return [str(one["objectRef"].get("name")) for one in made if one["objectRef"]["resource"] == "jobs"]
