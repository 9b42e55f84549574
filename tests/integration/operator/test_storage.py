"""Where the weights are kept: on a volume of the backend's own, or on one that somebody else made."""

import json
from typing import Any

import pytest
from operating import Running, Studio, eventually


def claim(studio: Studio, mode: str) -> None:
    """A claim that a person made."""
    body = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "mine"},
        "spec": {"accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}},
    }
    studio.kubectl("create", "--filename=-", input=json.dumps(body))


def pod(studio: Studio) -> dict[str, Any]:
    """The form of the serving pods."""
    found: dict[str, Any] = studio.get("Deployment", "cats")["spec"]["template"]["spec"]
    return found


def test_a_volume_that_is_not_retained_goes_with_its_backend(studio: Studio, operator: Running) -> None:
    studio.apply(storage={"retain": False})
    eventually(lambda: studio.get("PersistentVolumeClaim", "cats-weights"), "the claim is made")
    eventually(operator.settled, "nothing is left to do")
    studio.kubectl("delete", "lsb", "cats", "--wait=false")
    # No kubelet is here to say that no pod uses it any more.
    eventually(lambda: _goes(studio, "cats-weights"), "the claim goes")


@pytest.mark.parametrize(("mode", "on_one_node"), [("ReadWriteOnce", True), ("ReadWriteMany", False)])
def test_a_claim_that_exists_is_used_by_its_own_modes_and_left_alone(
    studio: Studio, operator: Running, mode: str, on_one_node: bool
) -> None:
    claim(studio, mode)
    before = studio.get("PersistentVolumeClaim", "mine")
    studio.apply(storage={"existingClaim": "mine"})
    eventually(lambda: studio.get("Deployment", "cats") and operator.settled(), "nothing is left to do")
    claims = [one["persistentVolumeClaim"]["claimName"] for one in pod(studio)["volumes"] if _is_claim(one)]
    assert claims == ["mine"]
    assert studio.names("PersistentVolumeClaim") == ["mine"]
    assert ("podAffinity" in pod(studio).get("affinity", {})) == on_one_node
    studio.kubectl("delete", "lsb", "cats", "--wait=false")
    eventually(lambda: studio.get("Deployment", "cats") is None, "the backend's own things go")
    after = studio.get("PersistentVolumeClaim", "mine")
    assert (after["spec"], after["metadata"]["uid"]) == (before["spec"], before["metadata"]["uid"])
    assert "deletionTimestamp" not in after["metadata"]
    assert {"labels", "ownerReferences"}.isdisjoint(after["metadata"])


def test_a_claim_that_cannot_grow_is_told_in_the_api_server_s_words(
    studio: Studio, operator: Running
) -> None:
    studio.apply(storage={"size": "1Gi"})
    eventually(lambda: studio.get("PersistentVolumeClaim", "cats-weights"), "the claim is made")
    studio.apply(storage={"size": "2Gi"})
    eventually(lambda: studio.condition("Ready").get("reason") == "ApplyRefused", "it is told")
    assert "PersistentVolumeClaim cats-weights cannot be applied" in _said(studio)
    assert "undo the change of spec.storage" in _said(studio)


def _said(studio: Studio) -> str:
    return str(studio.condition("Ready").get("message", ""))


def _is_claim(volume: dict[str, Any]) -> bool:
    return "persistentVolumeClaim" in volume


def _goes(studio: Studio, name: str) -> bool:
    found = studio.get("PersistentVolumeClaim", name)
    return found is None or "deletionTimestamp" in found["metadata"]
