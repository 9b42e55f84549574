"""A backend that is deleted and applied again over its volume knows what was decided about versions."""

import json
from typing import Any

from kubelet import finish, pods
from operating import Running, Studio, eventually

FIRST, SECOND = "0-0a1b2c3d", "1-0a1b2c3d"
DECISIONS = "lsbackends.dev/decisions"


def decisions(about: Any) -> Any:
    """What an object says was decided."""
    return json.loads((about["metadata"].get("annotations") or {}).get(DECISIONS) or "{}")


def phase(studio: Studio, training: str) -> Any:
    return (studio.get("LabelStudioTraining", training).get("status") or {}).get("phase")


def serves(studio: Studio, version: str) -> bool:
    return bool((studio.get("ConfigMap", "cats-model") or {}).get("data", {}).get("version") == version)


def test_an_approval_outlives_the_backend_and_reaches_the_store(studio: Studio, operator: Running) -> None:
    studio.apply()
    finish(studio, "prepare", {"outcome": "Prepared", "version": FIRST})
    eventually(lambda: serves(studio, FIRST), "the first version is served")
    asked = {
        "apiVersion": "lsbackends.dev/v1alpha1",
        "kind": "LabelStudioTraining",
        "metadata": {"name": "asked"},
        "spec": {"backend": "cats"},
    }
    studio.kubectl("create", "--filename=-", input=json.dumps(asked))
    finish(studio, "train", {"outcome": "AwaitingApproval", "version": SECOND, "message": "better"})
    eventually(lambda: phase(studio, "asked") == "AwaitingApproval", "it waits for a person")
    assert decisions(studio.get("PersistentVolumeClaim", "cats-weights"))["promoted"] == FIRST
    studio.kubectl("annotate", "lstraining", "asked", "lsbackends.dev/approved=true")
    eventually(lambda: serves(studio, SECOND), "the approved version is served")
    told = json.loads(studio.get("ConfigMap", "cats-model")["data"]["decisions"])
    assert told == {"promoted": SECOND}
    claim = studio.get("PersistentVolumeClaim", "cats-weights")
    assert decisions(claim) == told

    studio.kubectl("delete", "lsb", "cats")
    eventually(lambda: not studio.children() & {"Deployment/cats", "ConfigMap/cats-rollout"}, "it goes")
    eventually(lambda: not pods(studio, "prepare"), "so do its Jobs' pods")
    studio.apply()
    [pod] = eventually(lambda: pods(studio, "prepare"), "the volume is looked at")
    assert decisions(pod) == told
    assert "--decisions-file" in pod["spec"]["containers"][0]["command"]
    kept = studio.get("PersistentVolumeClaim", "cats-weights")
    assert (kept["metadata"]["uid"], decisions(kept)) == (claim["metadata"]["uid"], told)
    finish(studio, "prepare", {"outcome": "Prepared", "version": SECOND})
    eventually(lambda: serves(studio, SECOND), "what was approved is served")
