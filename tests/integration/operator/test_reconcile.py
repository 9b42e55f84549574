"""A backend is applied, and all that it needs is there, and stays as it should be."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from operating import Running, Studio, eventually

from lsb_operator.marks import FINALIZER

MINIMAL = {
    "ConfigMap/cats-config",
    "ConfigMap/cats-model",
    "ConfigMap/cats-rollout",
    "Deployment/cats",
    "PersistentVolumeClaim/cats-weights",
    "RoleBinding/cats-serve",
    "RoleBinding/cats-train",
    "Secret/cats-basic-auth",
    "Service/cats",
    "ServiceAccount/cats-serve",
    "ServiceAccount/cats-train",
}
OURS = {"RoleBinding/lsbackends-operator"}
"""The tests' own objects."""


def _made(studio: Studio) -> set[str]:
    return {name for name in studio.children() - OURS if not name.startswith("Job/")}


@pytest.fixture
def cats(studio: Studio, operator: Running) -> Running:
    """An operator with one backend, everything in place."""
    studio.apply()
    eventually(lambda: _made(studio) == MINIMAL and operator.settled(), "all children are there")
    return operator


def test_a_minimal_backend_gets_all_of_its_children(studio: Studio, cats: Running) -> None:
    assert _made(studio) == MINIMAL
    assert studio.status()["observedGeneration"] == 1
    assert cats.alive()
    backend = studio.get("LabelStudioBackend", "cats")
    # Nothing of ours on the resource itself: no annotation, no finalizer, no write of the spec.
    assert "finalizers" not in backend["metadata"]
    assert list(backend["metadata"]["annotations"]) == ["kubectl.kubernetes.io/last-applied-configuration"]


def test_a_restart_writes_nothing(
    studio: Studio, cats: Running, start_operator: Callable[[], Running]
) -> None:
    eventually(lambda: studio.status().get("training", {}).get("phase"), "the first version is asked for")
    eventually(cats.settled, "nothing is left to do")
    assert cats.stop() == 0
    before = studio.writes()
    again = start_operator()
    eventually(again.settled, "the new process has looked at everything")
    assert studio.writes() == before


@pytest.mark.parametrize(
    "child", sorted(MINIMAL - {"PersistentVolumeClaim/cats-weights", "Secret/cats-basic-auth"})
)
def test_a_deleted_child_comes_back(studio: Studio, cats: Running, child: str) -> None:
    kind, name = child.split("/")
    old = studio.get(kind, name)["metadata"]["uid"]
    studio.kubectl("delete", kind, name, "--wait=false")
    eventually(
        lambda: (studio.get(kind, name) or {"metadata": {"uid": old}})["metadata"]["uid"] != old, child
    )


DRIFTS: list[tuple[str, str, Any, Callable[[Any], Any]]] = [
    ("Deployment", "cats", {"spec": {"replicas": 7}}, lambda one: one["spec"]["replicas"]),
    (
        "Deployment",
        "cats",
        {"spec": {"template": {"spec": {"containers": [{"name": "serve", "image": "evil"}]}}}},
        lambda one: one["spec"]["template"]["spec"]["containers"][0]["image"],
    ),
    ("ConfigMap", "cats-config", {"data": {"backend.yaml": "no"}}, lambda one: one["data"]["backend.yaml"]),
    ("ConfigMap", "cats-config", {"data": None}, lambda one: one["data"]["backend.yaml"]),
    (
        "Service",
        "cats",
        {"spec": {"selector": {"lsbackends.dev/backend": "dogs"}}},
        lambda one: one["spec"]["selector"]["lsbackends.dev/backend"],
    ),
    (
        "RoleBinding",
        "cats-serve",
        {"subjects": []},
        lambda one: [subject["name"] for subject in one.get("subjects", [])],
    ),
    (
        "Service",
        "cats",
        {"metadata": {"annotations": {"lsbackends.dev/applied-hash": None}}},
        lambda one: one["metadata"]["annotations"].get("lsbackends.dev/applied-hash"),
    ),
]


@pytest.mark.parametrize(("kind", "name", "change", "read"), DRIFTS, ids=[str(one[2]) for one in DRIFTS])
def test_an_owned_field_that_drifts_is_put_back(
    studio: Studio, cats: Running, kind: str, name: str, change: Any, read: Callable[[Any], Any]
) -> None:
    before = read(studio.get(kind, name))
    version = studio.get(kind, name)["metadata"]["resourceVersion"]
    strategy = "--type=merge" if change.get("data", "") is None else "--type=strategic"
    studio.patch(kind, name, change, strategy)

    def back() -> bool:
        found = studio.get(kind, name)
        try:
            return found["metadata"]["resourceVersion"] != version and bool(read(found) == before)
        except (KeyError, TypeError):
            return False

    eventually(back, "it is as it was")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("ServiceAccount", "cats-serve"),
        ("ConfigMap", "cats-config"),
        ("RoleBinding", "cats-train"),
        ("PersistentVolumeClaim", "cats-weights"),
        ("Deployment", "cats"),
        ("Service", "cats"),
    ],
)
def test_a_lost_owner_is_put_back(studio: Studio, operator: Running, kind: str, name: str) -> None:
    studio.apply(storage={"retain": False})
    eventually(lambda: _made(studio) == MINIMAL and operator.settled(), "all children are there")
    before = studio.get(kind, name)["metadata"]["ownerReferences"]
    studio.patch(kind, name, {"metadata": {"ownerReferences": None}}, "--type=merge")
    eventually(lambda: studio.get(kind, name)["metadata"].get("ownerReferences") == before, "it is back")


def test_drift_while_nobody_watched_is_put_back(
    studio: Studio, cats: Running, start_operator: Callable[[], Running]
) -> None:
    cats.stop()
    studio.patch("Deployment", "cats", {"spec": {"replicas": 7}})
    studio.kubectl("delete", "service", "cats")
    start_operator()
    eventually(lambda: studio.get("Deployment", "cats")["spec"]["replicas"] == 0, "replicas are put back")
    eventually(lambda: studio.get("Service", "cats"), "the Service is back")


def test_labels_annotations_and_sidecars_of_others_stay(studio: Studio, cats: Running) -> None:
    sidecar = {"name": "proxy", "image": "proxy"}
    change = {
        "metadata": {"labels": {"team": "vision"}, "annotations": {"note": "hello"}},
        "spec": {"template": {"spec": {"containers": [sidecar]}}},
    }
    studio.patch("Deployment", "cats", change, "--type=strategic", "--field-manager=mesh")
    before = len(studio.writes())
    # A real change afterwards makes the operator apply its own fields again.
    studio.apply(serving={"replicas": 1, "nodeSelector": {"pool": "gpu"}})

    def template() -> Any:
        return studio.get("Deployment", "cats")["spec"]["template"]["spec"]

    eventually(lambda: template().get("nodeSelector") == {"pool": "gpu"}, "the spec's change arrives")
    found = studio.get("Deployment", "cats")
    assert found["metadata"]["labels"]["team"] == "vision"
    assert found["metadata"]["annotations"]["note"] == "hello"
    assert "proxy" in [one["name"] for one in template()["containers"]]
    assert "patch deployments/cats" in studio.writes()[before:]


def test_a_foreign_annotation_costs_no_write(studio: Studio, cats: Running) -> None:
    done = cats.metric("lsb_reconcile_seconds_count")
    studio.kubectl("annotate", "service", "cats", "note=hello")
    eventually(lambda: cats.metric("lsb_reconcile_seconds_count") > done and cats.settled(), "it was seen")
    assert studio.writes().count("patch services/cats") == 1


def test_a_name_that_others_have_is_left_alone_and_said(studio: Studio, operator: Running) -> None:
    studio.kubectl("create", "configmap", "cats-config", "--from-literal=theirs=1")
    theirs = studio.get("ConfigMap", "cats-config")
    studio.apply()
    stalled = eventually(lambda: studio.condition("Stalled"), "it is reported")
    assert (stalled["status"], stalled["reason"]) == ("True", "NameConflict")
    assert "ConfigMap cats-config" in stalled["message"]
    eventually(lambda: _made(studio) == MINIMAL, "all other children are made nevertheless")
    assert studio.get("ConfigMap", "cats-config") == theirs
    studio.kubectl("delete", "configmap", "cats-config")
    eventually(
        lambda: "backend.yaml" in (studio.get("ConfigMap", "cats-config") or {}).get("data", {}), "it is made"
    )
    eventually(lambda: studio.condition("Stalled").get("reason") != "NameConflict", "the complaint goes")


def test_a_deleted_backend_takes_all_but_its_retained_volume_with_it(studio: Studio, cats: Running) -> None:
    eventually(lambda: studio.names("Job"), "the first version is being made")
    studio.kubectl("delete", "lsb", "cats", "--wait=false")
    eventually(lambda: studio.children() - OURS == {"PersistentVolumeClaim/cats-weights"}, "it is collected")
    assert cats.alive()
    # Applied again, it takes its volume over.
    claim = studio.get("PersistentVolumeClaim", "cats-weights")["metadata"]["uid"]
    studio.apply()
    eventually(lambda: _made(studio) == MINIMAL, "all children are there again")
    assert studio.get("PersistentVolumeClaim", "cats-weights")["metadata"]["uid"] == claim


def test_a_spec_that_cannot_be_read_is_said_in_one_line_and_can_be_deleted(
    studio: Studio, operator: Running
) -> None:
    training = {"triggers": {"schedule": "0 2 * * *", "timeZone": "Europe/Berln"}}
    studio.apply(training=training)
    eventually(lambda: studio.condition("Stalled"), "it is said")
    assert studio.condition("Stalled")["message"].startswith(
        "The spec cannot be read: spec.training.triggers.timeZone: is 'Europe/Berln', must be a time zone of "
        "the IANA database, such as 'Europe/Berlin'. Everything stays as it is."
    )
    # As on a backend that was registered before somebody wrote this.
    studio.patch("lsb", "cats", {"metadata": {"finalizers": [FINALIZER]}}, "--type=merge")
    studio.kubectl("delete", "lsb", "cats", "--wait=false")
    eventually(lambda: studio.get("LabelStudioBackend", "cats") is None, "it is gone")
    told = studio.kubectl("get", "events", "--field-selector=involvedObject.name=cats", "--output=yaml")
    assert "It may still be registered in Label Studio" in told


def test_a_child_that_is_no_longer_wanted_goes(studio: Studio, cats: Running) -> None:
    studio.apply(ingress={"host": "ml.example.org", "className": "nginx"})
    eventually(lambda: studio.get("Ingress", "cats"), "the Ingress is made")
    studio.kubectl("patch", "lsb", "cats", "--type=merge", '--patch={"spec":{"ingress":null}}')
    eventually(lambda: studio.get("Ingress", "cats") is None, "the Ingress goes")


def test_a_password_is_made_once(
    studio: Studio, cats: Running, start_operator: Callable[[], Running]
) -> None:
    before = studio.get("Secret", "cats-basic-auth")["data"]
    cats.stop()
    again = start_operator()
    studio.apply(serving={"replicas": 2})
    eventually(lambda: studio.get("PodDisruptionBudget", "cats"), "the change arrives")
    eventually(again.settled, "nothing is left to do")
    assert studio.get("Secret", "cats-basic-auth")["data"] == before
    secrets = [one for one in studio.requests() if one["objectRef"]["resource"] == "secrets"]
    assert [one["verb"] for one in secrets] == ["create"]


def test_a_child_that_the_api_server_refuses_is_said_in_its_words(studio: Studio, operator: Running) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none"},
        "spec": {"hard": {"services": "0"}},
    }
    studio.kubectl("apply", "--filename=-", input=json.dumps(quota))
    eventually(lambda: studio.kubectl("get", "quota", "none", "--output=jsonpath={.status.hard}"), "a quota")
    studio.apply()
    eventually(lambda: studio.condition("Ready").get("reason") == "QuotaExceeded", "it is reported")
    assert "exceeded quota: none" in studio.condition("Ready")["message"]
    assert operator.alive()
    studio.kubectl("delete", "quota", "none")
    eventually(lambda: studio.get("Service", "cats"), "the Service is made once it may be")


def test_what_events_alone_tell_is_in_the_status(studio: Studio, cats: Running) -> None:
    eventually(lambda: studio.condition("Stalled").get("reason") == "VolumePending", "it is reported")
    # The words of the volume controller, which are in no object's status.
    assert "no storage class is set" in studio.condition("Stalled")["message"]
    events = [one for one in studio.requests() if one["objectRef"]["resource"] == "events"]
    assert {one["verb"] for one in events} <= {"list", "watch", "create"}
    assert sum(one["verb"] == "list" for one in events) == 1
