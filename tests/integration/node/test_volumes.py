"""Claims of the default StorageClass: bound, kept from pod to pod, given to the pod's group, and gone."""

import json
from pathlib import Path
from typing import Any

import pytest
from cluster import KubectlError
from node_pods import NO_RIGHTS, PATIENCE, RESTRICTED, SLEEP, Pods, pod_spec
from operating import eventually

pytestmark = pytest.mark.node


@pytest.fixture
def claim(pods: Pods) -> str:
    """A claim of one GiB that names no class."""
    _claim(pods, {})
    return "data"


def _claim(pods: Pods, more: dict[str, Any]) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **more}
    meta = {"name": "data"}
    pods.apply({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec})


def _mounting(**fields: Any) -> dict[str, Any]:
    mounts = {"volumeMounts": [{"name": "data", "mountPath": "/data"}], **fields.pop("container", {})}
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    return pod_spec(SLEEP, container=mounts, volumes=volumes, **fields)


def _volume(pods: Pods) -> Any:
    return pods.get("pv", pods.get("pvc", "data")["spec"]["volumeName"])


def test_a_claim_is_bound_for_its_first_pod_and_keeps_what_was_written(pods: Pods, claim: str) -> None:
    pods.start("first", _mounting())
    pods.kubectl("wait", "--for=jsonpath={.status.phase}=Bound", f"pvc/{claim}", PATIENCE)
    pods.python("first", "open('/data/x', 'w').write('kept')")
    pods.kubectl("delete", "pod", "first")
    pods.start("second", _mounting())
    assert pods.python("second", "print(open('/data/x').read())") == "kept"


def test_a_volume_belongs_to_the_pods_group_alone(pods: Pods, claim: str) -> None:
    strict = {"container": {"securityContext": NO_RIGHTS}}
    pods.start("ours", _mounting(securityContext=RESTRICTED, **strict))
    pods.python("ours", "open('/data/x', 'w').write('')")
    # Without the group the folder is root's: what forgets fsGroup fails here as it does on a disk.
    user = {key: value for key, value in RESTRICTED.items() if key != "fsGroup"}
    pods.start("other", _mounting(securityContext={**user, "runAsUser": 1234, "runAsGroup": 1234}, **strict))
    with pytest.raises(KubectlError, match="Permission denied"):
        pods.python("other", "open('/data/y', 'w')")


def test_a_deleted_claim_takes_its_volume_with_it(pods: Pods, claim: str) -> None:
    pods.start("one", _mounting())
    volume = _volume(pods)
    folder = Path(volume["spec"]["local"]["path"])
    assert folder.is_dir()
    pods.kubectl("delete", "pod/one", f"pvc/{claim}")
    pods.kubectl("wait", "--for=delete", f"pv/{volume['metadata']['name']}", PATIENCE)
    assert not folder.exists()


def test_a_retained_volume_stays(pods: Pods) -> None:
    kept = f"kept-{pods.namespace}"
    default = pods.get("storageclass", "lsbackends-folders")
    pods.apply({**default, "metadata": {"name": kept}, "reclaimPolicy": "Retain"})
    _claim(pods, {"storageClassName": kept})
    pods.start("one", _mounting())
    volume = _volume(pods)
    pods.kubectl("delete", "pod/one", "pvc/data")
    name = volume["metadata"]["name"]
    pods.kubectl("wait", "--for=jsonpath={.status.phase}=Released", f"pv/{name}", PATIENCE)
    # A claim made and deleted later shows that the provisioner has looked since then.
    _claim(pods, {})
    pods.start("two", _mounting())
    later = _volume(pods)["metadata"]["name"]
    pods.kubectl("delete", "pod/two", "pvc/data")
    pods.kubectl("wait", "--for=delete", f"pv/{later}", PATIENCE)
    assert Path(volume["spec"]["local"]["path"]).is_dir()
    pods.kubectl("delete", f"pv/{name}", f"storageclass/{kept}")


def test_a_claim_grows(pods: Pods, claim: str) -> None:
    pods.start("one", _mounting())
    size = json.dumps({"spec": {"resources": {"requests": {"storage": "2Gi"}}}})
    pods.kubectl("patch", "pvc", claim, "--type=merge", "--patch", size)
    eventually(lambda: pods.get("pvc", claim)["status"]["capacity"]["storage"] == "2Gi", "the claim grows")
    assert _volume(pods)["spec"]["capacity"]["storage"] == "2Gi"
