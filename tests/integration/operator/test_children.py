"""The children before a real API server: accepted, restricted, and left alone when nothing has changed."""

import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cluster.cluster import Cluster

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.manifest import load_backend
from lsb_operator.children.all import children
from lsb_operator.children.secrets import secrets
from lsb_operator.facts import Facts, Manifest

GOLDEN = Path(__file__).parents[2] / "unit" / "operator" / "golden"
CASES = sorted(folder.name for folder in GOLDEN.iterdir() if folder.is_dir())
VERSION = "3-0a1b2c3d"
CLASSES = [
    {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": "interactive"},
        "value": 1,
    },
    {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": "nvidia"},
        "handler": "nvidia",
    },
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster.start(f"children-{os.getpid()}") as running:
        apply(running, CLASSES)
        yield running


@pytest.fixture
def namespace(cluster: Cluster, request: pytest.FixtureRequest) -> str:
    """A namespace that admits pods of the `restricted` standard alone."""
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower())[-63:].strip("-")
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = {"name": name, "labels": labels}
    apply(cluster, [{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}])
    return name


def apply(cluster: Cluster, manifests: list[Manifest]) -> list[Manifest]:
    """Apply as the operator does, and return what the API server made of it."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
    options = ("--server-side", "--force-conflicts", "--field-manager=lsb-operator", "--output=json")
    answer = json.loads(cluster.kubectl("apply", *options, "--filename=-", input=text))
    found: list[Manifest] = answer.get("items", [answer])
    return found


def golden(case: str, name: str | None = None) -> LabelStudioBackend:
    """The resource of a golden case, by the name of the case unless another is given."""
    backend = load_backend(GOLDEN / case / "backend.yaml")
    metadata = backend.metadata.model_copy(update={"name": name or case})
    return backend.model_copy(update={"metadata": metadata})


def manifests_of(backend: LabelStudioBackend, namespace: str, target: str | None = VERSION) -> list[Manifest]:
    """All children in `namespace`, without an owner: the backend itself is not there."""
    metadata = backend.metadata.model_copy(update={"namespace": namespace, "uid": None})
    moved = backend.model_copy(update={"metadata": metadata})
    facts = Facts(backend={}, now=datetime.now(UTC), target=target)
    return [one.filled("x") for one in secrets(moved)] + children(moved, facts)


async def test_every_child_is_accepted_and_every_pod_is_admitted(
    cluster: Cluster, namespace: str, until: Callable[..., Any]
) -> None:
    for case in CASES:
        manifests = manifests_of(golden(case), namespace)
        accepted = apply(cluster, manifests)
        assert len(accepted) == len(manifests)
        expected = sum(one["spec"]["replicas"] for one in manifests if one["kind"] == "Deployment")
        await until(lambda: _pods(cluster, namespace, case) == expected)  # noqa: B023


@pytest.mark.parametrize("target", [None, VERSION])
def test_what_has_not_changed_is_not_written_again(
    cluster: Cluster, namespace: str, target: str | None
) -> None:
    wanted = [one for case in CASES for one in manifests_of(golden(case), namespace, target)]
    # Secrets are created and never applied.
    manifests = [one for one in wanted if one["kind"] != "Secret"]
    first = apply(cluster, manifests)
    assert [_state(one) for one in apply(cluster, manifests)] == [_state(one) for one in first]


def test_another_roll_out_leaves_nothing_of_the_one_before(cluster: Cluster, namespace: str) -> None:
    before = manifests_of(golden("minimal", "cats"), namespace)
    after = manifests_of(golden("recreate", "cats"), namespace)
    apply(cluster, before)
    (deployment,) = (one for one in apply(cluster, after) if one["kind"] == "Deployment")
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def _pods(cluster: Cluster, namespace: str, name: str) -> int:
    selector = f"--selector=lsbackends.dev/backend={name}"
    found = json.loads(cluster.kubectl("get", "pods", f"--namespace={namespace}", selector, "--output=json"))
    return len(found["items"])


def _state(applied: Manifest) -> tuple[str, Any]:
    """What a write would change; controllers write a status into some kinds, which is not meant."""
    metadata = applied["metadata"]
    with_status = applied["kind"] in ("Deployment", "PersistentVolumeClaim", "PodDisruptionBudget")
    return metadata["name"], metadata.get("generation") if with_status else metadata["resourceVersion"]
