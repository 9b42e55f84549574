"""Pods that follow the target swap their model and stay; a stand-in answers for the program in the pod."""

import asyncio
import json
from typing import Any

import pytest
from faults.life import offer_volume
from kubelet import finish, pods, runs
from operating import Running, Studio, eventually

FIRST, SECOND, THIRD = "0-0a1b2c3d", "1-0a1b2c3d", "2-0a1b2c3d"
NO_MEMORY = "CUDA out of memory: tried to allocate 2 GiB"


@pytest.fixture
def said() -> dict[str, Any]:
    """What the serving pod says of itself."""
    return {"model": {"version": FIRST}}


async def test_pods_swap_their_model_and_say_how_far_they_are(
    studio: Studio, operator: Running, address: str, said: dict[str, Any]
) -> None:
    await asyncio.to_thread(_serves_the_first, studio, address)
    [pod] = pods(studio, "serve")
    deployment = studio.get("Deployment", "cats")
    await asyncio.to_thread(_train, studio, SECOND)
    await _until(lambda: _ready(studio)["reason"] == "RollingOut", "the pod is about to swap")
    assert f"0 of 1 pods have version {SECOND}" in _ready(studio)["message"]
    assert _model(studio) == {"version": FIRST, "target": SECOND, "previous": FIRST}
    said["model"] = {"version": SECOND}
    await _until(lambda: _ready(studio)["status"] == "True", "it has swapped")
    assert _model(studio) == {"version": SECOND, "target": SECOND, "previous": FIRST}

    await asyncio.to_thread(_train, studio, THIRD)
    said["swap_failed"] = {"version": THIRD, "message": NO_MEMORY}
    await _until(lambda: _ready(studio)["reason"] == "SwapFailed", "a swap that fails is told")
    assert NO_MEMORY in _ready(studio)["message"]
    assert f"it serves version {SECOND} meanwhile" in _ready(studio)["message"]
    assert _model(studio) == {"version": SECOND, "target": THIRD, "previous": SECOND}
    assert not studio.condition("RolledBack")
    # All the while it was the same pod, of the same Deployment.
    assert [one["metadata"]["uid"] for one in pods(studio, "serve")] == [pod["metadata"]["uid"]]
    assert studio.get("Deployment", "cats")["metadata"]["generation"] == deployment["metadata"]["generation"]

    studio.patch("lsb", "cats", {"spec": {"model": {"version": SECOND}}}, "--type=merge")
    del said["swap_failed"]
    await _until(lambda: _ready(studio)["status"] == "True", "pinned to what it serves, it is ready")
    assert studio.get("ConfigMap", "cats-model")["data"]["version"] == SECOND


def _serves_the_first(studio: Studio, address: str) -> None:
    offer_volume(studio)
    studio.apply(serving={"rollout": "InPlace"})
    finish(studio, "prepare", {"outcome": "Prepared", "version": FIRST})
    runs(studio, "serve", address)
    eventually(lambda: _ready(studio).get("status") == "True", "the first version is served")
    # No GPU that the old pod holds is needed twice.
    rolling = studio.get("Deployment", "cats")["spec"]["strategy"]["rollingUpdate"]
    assert rolling == {"maxSurge": 0, "maxUnavailable": 1}


def _train(studio: Studio, version: str) -> None:
    """A training is asked for, and its candidate is better."""
    asked = {
        "apiVersion": "lsbackends.dev/v1alpha1",
        "kind": "LabelStudioTraining",
        "metadata": {"name": f"to-{version}"},
        "spec": {"backend": "cats"},
    }
    studio.kubectl("create", "--filename=-", input=json.dumps(asked))
    finish(studio, "train", {"outcome": "Promoted", "version": version, "message": "better"})
    eventually(lambda: _model(studio).get("target") == version, f"{version} is to be served")


def _ready(studio: Studio) -> dict[str, Any]:
    return studio.condition("Ready")


def _model(studio: Studio) -> dict[str, Any]:
    found: dict[str, Any] = studio.status().get("model") or {}
    return found


async def _until(condition: Any, what: str) -> None:
    """Wait, while the stand-in answers."""
    await asyncio.to_thread(eventually, condition, what)
