"""Every example is taken by an API server: of the right form, without an unknown field."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from cluster import Cluster

FOLDER = Path(__file__).parents[3] / "examples"
# The definitions of these come with the systems that an example is for.
ELSEWHERE = {"argoproj.io", "gateway.networking.k8s.io", "kueue.x-k8s.io"}
# What Helm reads, not kubectl.
NO_MANIFESTS = {"values.yaml"}


def group(document: dict[str, Any]) -> str:
    """The API group of an object, empty for the core."""
    return str(document["apiVersion"]).rpartition("/")[0]


def documents() -> dict[str, dict[str, Any]]:
    """Every object in the examples, by file, kind and name."""
    found = {}
    for path in sorted(FOLDER.rglob("*.yaml")):
        if path.name not in NO_MANIFESTS:
            for one in yaml.safe_load_all(path.read_text()):
                found[f"{path.relative_to(FOLDER)}-{one['kind']}-{one['metadata']['name']}"] = one
    return found


DOCUMENTS = documents()


@pytest.mark.parametrize("name", [name for name, one in DOCUMENTS.items() if group(one) not in ELSEWHERE])
def test_the_api_server_takes_it(name: str, cluster: Cluster, shared_namespace: str) -> None:
    document = DOCUMENTS[name]
    if "namespace" in document["metadata"]:
        # The namespace of an example is made by the example, and so is not there in a rehearsal.
        document = {**document, "metadata": {**document["metadata"], "namespace": shared_namespace}}
    said = cluster.kubectl(
        "apply",
        "--server-side",
        "--dry-run=server",
        "--validate=strict",
        f"--namespace={shared_namespace}",
        "-f-",
        input=yaml.safe_dump(document),
    )
    assert "serverside-applied" in said


def test_every_example_tells_how_to_use_it() -> None:
    without = [folder.name for folder in FOLDER.iterdir() if not (folder / "README.md").is_file()]
    assert without == []
