"""What a cluster may lack or forbid, on real nodes: the status says what it is, and what to do."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from cluster import Cluster
from installed import Installed, eventually

from .conftest import Project

pytestmark = pytest.mark.node
IMAGE = "registry.invalid/lsbackends/serve:1"
DEFAULT = "storageclass.kubernetes.io/is-default-class"


def test_an_image_that_cannot_be_pulled_is_named_and_no_version_is_given_up(
    installed: Installed, project: Project
) -> None:
    installed.until_ready()
    served = installed.version()
    with installed.called(project.bodies(1)) as calls:
        installed.apply_backend(serving={"image": IMAGE})
        eventually(lambda: installed.reason("Ready") == "ImageNotPulled", "the backend says it")
        said = installed.condition("Ready")["message"]
    assert IMAGE in said
    assert "To do: check spec.serving.image" in said
    assert calls.failed == []
    # A version that has learned nothing proposes nothing, and is not named.
    assert set(calls.versions) <= {served}
    installed.apply_backend()
    installed.until_ready()
    assert installed.version() == served
    assert not installed.is_true("RolledBack")


def _quota(installed: Installed, pods: int) -> None:
    patch = json.dumps({"spec": {"hard": {"pods": str(pods)}}})
    installed.kubectl("patch", "resourcequota", "team", "--type=merge", "--patch", patch)


def test_a_quota_without_room_for_a_training_is_told_and_the_training_goes_on_with_room(
    installed: Installed,
) -> None:
    installed.until_ready()
    _quota(installed, 1)
    installed.train("no-room", epochs=2)
    eventually(lambda: installed.reason("TrainingSucceeded") == "QuotaExceeded", "the backend says it")
    said = installed.condition("TrainingSucceeded")["message"]
    assert "exceeded quota: team" in said
    assert "To do: raise the ResourceQuota of the namespace" in said
    assert installed.is_true("Ready")
    _quota(installed, 20)
    assert installed.until_trained("no-room")["status"]["phase"] in ("Succeeded", "Rejected")
    installed.until_ready()


@contextmanager
def no_default_class(cluster: Cluster) -> Iterator[None]:
    """No StorageClass is the default one inside of the block."""
    listed: list[Any] = json.loads(cluster.kubectl("get", "storageclasses", "--output=json"))["items"]
    names = [
        one["metadata"]["name"]
        for one in listed
        if one["metadata"].get("annotations", {}).get(DEFAULT) == "true"
    ]

    def mark(value: str) -> None:
        for name in names:
            cluster.kubectl("annotate", "storageclass", name, f"{DEFAULT}={value}", "--overwrite")

    mark("false")
    try:
        yield
    finally:
        mark("true")


def test_without_a_default_storage_class_it_says_so_and_goes_on_once_there_is_one(
    cluster: Cluster, operator: str
) -> None:
    bare = Installed(cluster, namespace="bare")
    cluster.kubectl("create", "namespace", "bare")
    with no_default_class(cluster):
        bare.apply_backend(
            labelStudio={"tokenSecretRef": None, "projects": []},
            model={"task": "dummy", "weights": None},
            redis={"mode": "None"},
        )
        eventually(lambda: bare.reason("Ready") == "VolumePending", "the backend says it")
        said = bare.condition("Ready")["message"]
    assert "PersistentVolumeClaim first-weights is not bound" in said
    assert "make a StorageClass the default" in said
    bare.until_ready()
    cluster.kubectl("delete", "namespace", "bare")
