"""Which volumes the test bed makes, grows and deletes."""

from pathlib import Path
from typing import Any

import pytest
from cluster.folder_volumes import PROVISIONER, grown, released, wanted

Manifest = dict[str, Any]
FOLDER = Path("/volumes")


def _class(name: str = "ours", provisioner: str = PROVISIONER, **fields: Any) -> Manifest:
    return {"metadata": {"name": name}, "provisioner": provisioner, "reclaimPolicy": "Retain", **fields}


def _claim(phase: str = "Pending", storage_class: str = "ours", **annotations: str) -> Manifest:
    return {
        "metadata": {"name": "data", "namespace": "studio", "uid": "1-2", "annotations": annotations or None},
        "spec": {
            "storageClassName": storage_class,
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "2Gi"}},
        },
        "status": {"phase": phase},
    }


def _volume(phase: str, policy: str = "Delete", by: str = PROVISIONER) -> Manifest:
    return {
        "metadata": {"name": "pvc-1-2", "annotations": {"pv.kubernetes.io/provisioned-by": by}},
        "spec": {"persistentVolumeReclaimPolicy": policy},
        "status": {"phase": phase},
    }


def test_a_claim_gets_a_folder_under_a_name_of_its_own() -> None:
    [volume] = wanted([_claim()], [_class()], FOLDER)
    assert volume["metadata"]["name"] == "pvc-1-2"
    spec = volume["spec"]
    assert spec["local"] == {"path": "/volumes/pvc-1-2"}
    assert spec["capacity"] == {"storage": "2Gi"}
    assert spec["persistentVolumeReclaimPolicy"] == "Retain"
    assert (spec["claimRef"]["namespace"], spec["claimRef"]["uid"]) == ("studio", "1-2")


@pytest.mark.parametrize(
    ("claim", "storage_class"),
    [
        (_claim("Bound"), _class()),
        (_claim("Lost"), _class()),
        (_claim(storage_class="theirs"), _class()),
        (_claim(), _class(provisioner="disks.example.org")),
        (_claim(), _class(volumeBindingMode="WaitForFirstConsumer")),
    ],
)
def test_no_volume_is_made_for_other_claims(claim: Manifest, storage_class: Manifest) -> None:
    assert wanted([claim], [storage_class], FOLDER) == []


def test_a_claim_that_waits_for_a_pod_gets_its_volume_with_the_pod() -> None:
    claim = _claim(**{"volume.kubernetes.io/selected-node": "lsb-node"})
    assert len(wanted([claim], [_class(volumeBindingMode="WaitForFirstConsumer")], FOLDER)) == 1


def test_only_what_is_ours_and_not_to_be_kept_is_deleted() -> None:
    gone = _volume("Released")
    kept = [_volume("Bound"), _volume("Released", "Retain"), _volume("Released", by="disks.example.org")]
    assert released([gone, *kept]) == [gone]


def test_a_claim_that_asks_for_more_is_grown_until_it_has_it() -> None:
    claim, volume = _claim("Bound"), _volume("Bound")
    claim["spec"]["volumeName"] = "pvc-1-2"
    claim["status"]["capacity"] = {"storage": "1Gi"}
    assert grown([claim], [volume]) == [(claim, volume)]
    claim["status"]["capacity"] = {"storage": "2Gi"}
    assert grown([claim], [volume]) == []
