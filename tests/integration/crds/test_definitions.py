"""The CustomResourceDefinitions in a cluster: how they are applied, read, explained and listed."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from cluster import Cluster, KubectlError
from cluster.api import Api

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.manifest import parse
from lsb_crds.training import LabelStudioTraining

CRDS = Path(__file__).parents[3] / "crds"
MODELS = {"backend": LabelStudioBackend, "training": LabelStudioTraining}
SMALLEST = {
    "apiVersion": "lsbackends.dev/v1alpha1",
    "kind": "LabelStudioBackend",
    "metadata": {"name": "cats"},
    "spec": {"labelStudio": {"url": "http://studio"}},
}
STATUS = {
    "observedGeneration": 1,
    "phase": "Ready",
    "url": "http://cats.studio.svc:9090",
    "replicas": 2,
    "selector": "app.kubernetes.io/instance=cats",
    "model": {"version": "3-0a1b2c3d"},
    "training": {"name": "cats-after-3", "phase": "Running"},
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Serving",
            "message": "Serves 3-0a1b2c3d.",
            "lastTransitionTime": "2026-01-31T12:00:00Z",
        }
    ],
}


@pytest.fixture
def backends(api: Api, namespace: str) -> str:
    """The collection of backends in a fresh namespace, with one that has a status."""
    collection = f"/apis/lsbackends.dev/v1alpha1/namespaces/{namespace}/labelstudiobackends"
    made = api.create(collection, SMALLEST)
    api.replace(f"{collection}/cats/status", {**made, "status": STATUS})
    return collection


def test_server_fills_in_the_defaults_of_the_models(good_row: Any, server: Any) -> None:
    model = MODELS[good_row.kind]
    stored = server.stored(good_row)
    spec = parse({**stored, "metadata": good_row.manifest["metadata"]}, model, "").spec
    assert spec == parse(good_row.manifest, model, "").spec
    assert essence(spec.model_dump(by_alias=True, mode="json")) == essence(stored["spec"])


def essence(value: Any) -> Any:
    """A value without what is null or empty, which both leave out; 2 and "2" are the same quantity."""
    if isinstance(value, dict):
        parts = {key: essence(part) for key, part in value.items()}
        return {key: part for key, part in parts.items() if part not in (None, [], {})}
    if isinstance(value, list):
        return [essence(part) for part in value]
    return int(value) if isinstance(value, str) and value.isdigit() else value


@pytest.mark.parametrize("file", sorted(CRDS.glob("*.yaml")), ids=lambda file: file.stem)
def test_client_side_apply_takes_the_definitions(file: Path, cluster: Cluster) -> None:
    # The last manifest is kept in an annotation, which may have 256 KiB with all others.
    definition = {**yaml.safe_load(file.read_text())}
    definition["spec"] = json.loads(
        json.dumps(definition["spec"]).replace("lsbackends.dev", "applied.example")
    )
    definition["metadata"] = {
        "name": definition["metadata"]["name"].replace("lsbackends.dev", "applied.example")
    }
    text = yaml.safe_dump(definition)
    try:
        assert "created" in cluster.kubectl("apply", "-f", "-", input=text)
        assert "unchanged" in cluster.kubectl("apply", "-f", "-", input=text)
    finally:
        cluster.kubectl("delete", "-f", "-", "--ignore-not-found", input=text)


@pytest.mark.parametrize("file", sorted(CRDS.glob("*.yaml")), ids=lambda file: file.stem)
def test_server_has_nothing_to_say_against_the_schema(file: Path, api: Api) -> None:
    name = yaml.safe_load(file.read_text())["metadata"]["name"]
    found = api.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")
    conditions = {condition["type"]: condition["status"] for condition in found["status"]["conditions"]}
    assert conditions.get("NonStructuralSchema", "False") == "False"
    assert conditions["NamesAccepted"] == conditions["Established"] == "True"


def test_explain_says_what_each_field_is_for(cluster: Cluster, tmp_path: Path) -> None:
    # kubectl remembers for hours which resources there are: it is asked with nothing to remember.
    fresh = f"--cache-dir={tmp_path}"
    text = cluster.kubectl("explain", "lsb.spec.serving", fresh)
    for field in ("replicas\t<integer>", "runtime\t<string>", "sharedMemory\t<string>"):
        assert field in text
    assert "enum: Auto, RollingUpdate, InPlace, Recreate" in text
    for name in ("lsb.spec", "lsb.spec.training.gate", "lsb.status", "lstraining.spec", "lstraining.status"):
        described = cluster.kubectl("explain", name, fresh)
        assert "DESCRIPTION:" in described
        assert "<no description>" not in described


@pytest.mark.parametrize("name", ["lsb", "lsbackend", "lsbackends", "labelstudiobackend", "all"])
def test_a_backend_is_listed_by_each_of_its_names(name: str, backends: str, cluster: Cluster) -> None:
    namespace = backends.split("/")[5]
    found = cluster.kubectl("get", name, "--output=name", f"--namespace={namespace}")
    assert "labelstudiobackend.lsbackends.dev/cats" in found.splitlines()


@pytest.mark.parametrize("name", ["lstraining", "lstrainings", "labelstudiotraining"])
def test_a_training_is_listed_by_each_of_its_names(name: str, cluster: Cluster, namespace: str) -> None:
    training = {**SMALLEST, "kind": "LabelStudioTraining", "spec": {"backend": "cats"}}
    cluster.kubectl("create", "-f", "-", f"--namespace={namespace}", input=json.dumps(training))
    assert "cats" in cluster.kubectl("get", name, f"--namespace={namespace}")


def test_columns_tell_how_a_backend_stands(backends: str, cluster: Cluster) -> None:
    head, row = cluster.kubectl("get", "lsb", f"--namespace={backends.split('/')[5]}").splitlines()
    assert head.split() == ["NAME", "READY", "PHASE", "VERSION", "TRAINING", "REPLICAS", "AGE"]
    assert row.split()[:-1] == ["cats", "True", "Ready", "3-0a1b2c3d", "Running", "2"]


def test_wide_columns_tell_where_and_why(backends: str, cluster: Cluster) -> None:
    output = cluster.kubectl("get", "lsb", "--output=wide", f"--namespace={backends.split('/')[5]}")
    head, row = output.splitlines()
    assert head.split()[-2:] == ["URL", "MESSAGE"]
    assert row.endswith("http://cats.studio.svc:9090   Serves 3-0a1b2c3d.")


def test_scale_subresource_reads_and_sets_replicas(backends: str, cluster: Cluster, api: Api) -> None:
    scale = api.get(f"{backends}/cats/scale")
    assert scale["spec"]["replicas"] == 1
    assert scale["status"] == {"replicas": 2, "selector": STATUS["selector"]}
    cluster.kubectl("scale", "lsb", "cats", "--replicas=3", f"--namespace={backends.split('/')[5]}")
    assert api.get(f"{backends}/cats")["spec"]["serving"]["replicas"] == 3


@pytest.mark.parametrize(
    ("selector", "found"),
    [("spec.model.task=detect", 1), ("spec.model.task=pose", 0), ("status.phase=Ready", 1)],
)
def test_backends_are_selected_by_fields(selector: str, found: int, backends: str, api: Api) -> None:
    assert len(api.get(backends, fieldSelector=selector)["items"]) == found


def test_a_status_is_written_apart_from_the_spec(backends: str, api: Api) -> None:
    stored = api.get(f"{backends}/cats")
    other = json.loads(json.dumps(stored))
    other["status"]["phase"], other["spec"]["suspend"] = "Failed", True
    assert api.replace(f"{backends}/cats", other)["status"] == stored["status"]
    latest = api.get(f"{backends}/cats")
    latest["spec"]["suspend"] = False
    assert api.replace(f"{backends}/cats/status", latest)["spec"]["suspend"] is True
    assert latest["metadata"]["generation"] == stored["metadata"]["generation"] + 1


def test_kubectl_refuses_a_typo_in_one_line(cluster: Cluster, namespace: str) -> None:
    manifest = json.dumps({**SMALLEST, "spec": {**SMALLEST["spec"], "servin": {}}})
    with pytest.raises(KubectlError, match=r'unknown field "spec\.servin"'):
        cluster.kubectl("apply", "-f", "-", f"--namespace={namespace}", input=manifest)
