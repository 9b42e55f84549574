"""Volumes for claims, each a folder of this machine: the test bed's provisioner, as pure decisions.

The volumes are of the type `local`, not `hostPath`: the kubelet then gives them to a pod's fsGroup, as it
does with a disk.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

PROVISIONER = "folders.test-bed.lsbackends.dev"
_PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_CHOSEN_NODE = "volume.kubernetes.io/selected-node"

Manifest = dict[str, Any]


def wanted(claims: Sequence[Manifest], classes: Sequence[Manifest], folder: Path) -> list[Manifest]:
    """A volume for each claim of our classes that a pod waits for; asked twice, the same volume."""
    ours = {one["metadata"]["name"]: one for one in classes if one["provisioner"] == PROVISIONER}
    return [
        _volume(claim, ours[claim["spec"]["storageClassName"]], folder)
        for claim in claims
        if claim["status"]["phase"] == "Pending"
        and claim["spec"].get("storageClassName") in ours
        and not claim["spec"].get("volumeName")
        and _waited_for(claim, ours[claim["spec"]["storageClassName"]])
    ]


def released(volumes: Sequence[Manifest]) -> list[Manifest]:
    """Our volumes that nobody claims any more, and that are to go with their claim."""
    return [
        volume
        for volume in volumes
        if (volume["metadata"].get("annotations") or {}).get(_PROVISIONED_BY) == PROVISIONER
        and volume["status"]["phase"] == "Released"
        and volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
    ]


def grown(claims: Sequence[Manifest], volumes: Sequence[Manifest]) -> list[tuple[Manifest, Manifest]]:
    """Claims that ask for another size than they have, each with its volume. A folder needs no growing."""
    ours = {
        volume["metadata"]["name"]: volume
        for volume in volumes
        if (volume["metadata"].get("annotations") or {}).get(_PROVISIONED_BY) == PROVISIONER
    }
    return [
        (claim, ours[claim["spec"]["volumeName"]])
        for claim in claims
        if claim["status"]["phase"] == "Bound"
        and claim["spec"].get("volumeName") in ours
        and _size(claim) != (claim["status"].get("capacity") or {}).get("storage")
    ]


def _size(claim: Manifest) -> str:
    return str(claim["spec"]["resources"]["requests"]["storage"])


def _waited_for(claim: Manifest, storage_class: Manifest) -> bool:
    if storage_class.get("volumeBindingMode") != "WaitForFirstConsumer":
        return True
    return _CHOSEN_NODE in (claim["metadata"].get("annotations") or {})


def _volume(claim: Manifest, storage_class: Manifest, folder: Path) -> Manifest:
    meta = claim["metadata"]
    name = f"pvc-{meta['uid']}"
    here = {"key": "kubernetes.io/os", "operator": "Exists"}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {_PROVISIONED_BY: PROVISIONER}},
        "spec": {
            "capacity": {"storage": _size(claim)},
            "accessModes": claim["spec"]["accessModes"],
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "storageClassName": storage_class["metadata"]["name"],
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta["uid"],
            },
            "local": {"path": str(folder / name)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }
