"""Of the rights that the operator is given, it uses all, and it asks for no other."""

import json
from typing import Any

import pytest
import yaml
from cluster import KubectlError
from faults.kubelet import FIRST
from faults.life import SPEC, ask_for_training, offer_volume, serves, wait_for
from faults.rights import INTERNAL, OWNERS, Right, granted, refused, rules, used
from operating import Studio

LONG_AGO = "2020-01-01T00:00:00Z"
RICH: dict[str, Any] = {
    **SPEC,
    "ingress": {"host": "ml.example.org"},
    "networkPolicy": {"enabled": True},
    "redis": {"mode": "Managed"},
    "serving": {"replicas": 2},
    "training": {"keepVersions": 2},
}
THEIRS = (
    ("ServiceAccount", "{}-serve"),
    ("RoleBinding", "{}-serve"),
    ("ConfigMap", "{}-config"),
    ("PersistentVolumeClaim", "{}-weights"),
    ("NetworkPolicy", "{}"),
    ("Deployment", "{}"),
    ("Service", "{}"),
    ("Ingress", "{}"),
    ("PodDisruptionBudget", "{}"),
)
POORER: dict[str, Any] = {
    "ingress": None,
    "networkPolicy": None,
    "redis": None,
    "serving": None,
    "labelStudio": {"projects": [1, 2]},
}


@pytest.fixture
def rich(studio: Studio) -> Studio:
    """A life with everything in it, after its end."""
    offer_volume(studio, "cats-redis")
    _end_long_ago(studio, "ancient", "Manual")
    _end_long_ago(studio, "older", "Manual")
    studio.kubectl("create", "job", "mine-train", "--image=theirs")
    studio.apply(**RICH)
    serves(studio, FIRST)
    wait_for(lambda: studio.get("LabelStudioTraining", "ancient") is None, "what is history is pruned")
    _names_that_others_have(studio)
    wait_for(lambda: studio.condition("Registered").get("status") == "True", "it is registered")
    _children_that_others_made(studio)
    registered = _jobs(studio, "register")
    studio.patch("lsb", "cats", {"spec": POORER}, "--type=merge")
    poorer = ("Ingress", "PodDisruptionBudget", "NetworkPolicy")
    wait_for(lambda: not any(studio.get(kind, "cats") for kind in poorer), "less is there")
    wait_for(lambda: registered.isdisjoint(_jobs(studio, "register")), "it is registered anew")
    serves(studio, FIRST)
    studio.kubectl("delete", "lsb", "cats", "--wait=false")
    wait_for(lambda: studio.get("LabelStudioBackend", "cats") is None, "it goes")
    return studio


def test_nothing_is_refused_and_nothing_is_granted_in_vain(rich: Studio) -> None:
    log = rich.cluster.audit_log
    assert log is not None
    assert refused(log) == []
    assert sorted(granted() - INTERNAL - OWNERS - used(log)) == []
    # What every account may do, such as asking which kinds there are, is about no object.
    assert sorted(used(log) - granted()) == []


def test_no_rule_is_a_wildcard() -> None:
    assert not any("*" in values for rule in rules() for values in rule.values())


@pytest.mark.parametrize("right", sorted(INTERNAL), ids=str)
def test_what_the_log_does_not_show_is_needed_all_the_same(studio: Studio, right: Right) -> None:
    manifest = _owned_child(studio)
    _allow(studio, rules())
    wait_for(lambda: _may_make(studio, manifest), "with all rights it is made")
    _allow(studio, [rule for rule in rules() if right[1] not in rule["resources"]])
    wait_for(lambda: not _may_make(studio, manifest), "without this one it is refused")


def _may_make(studio: Studio, manifest: str) -> bool:
    options = ("--server-side", "--dry-run=server", f"--as=system:serviceaccount:{studio.name}:without")
    try:
        studio.kubectl("apply", *options, "--filename=-", input=manifest)
    except KubectlError as error:
        if "forbidden" in str(error).lower():
            return False
        raise
    return True


def _end_long_ago(studio: Studio, name: str, reason: str) -> None:
    """A training that failed in another time."""
    ask_for_training(studio, name, reason=reason)
    path = studio.path("LabelStudioTraining", name)
    training = studio.api.get(path)
    training["status"] = {
        "phase": "Failed",
        "job": f"{name}-train",
        "finishedAt": LONG_AGO,
        "startedAt": LONG_AGO,
    }
    studio.api.replace(f"{path}/status", training)


def _names_that_others_have(studio: Studio) -> None:
    ask_for_training(studio, "mine", reason="Manual")
    wait_for(lambda: studio.condition("Stalled").get("reason") == "NameConflict", "it cannot begin")
    studio.kubectl("delete", "job", "mine-train", "--wait=false")
    wait_for(lambda: _phase(studio, "mine") == "Rejected", "with the name free it has been done")
    prepared = next(name for name in studio.names("LabelStudioTraining") if "prepare" in name)
    ask_for_training(studio, prepared.replace("cats", "dogs"), "nobody")
    studio.apply("dogs", labelStudio={"url": SPEC["labelStudio"]["url"]})
    wait_for(lambda: studio.condition("Ready", "dogs"), "it was tried")


def _children_that_others_made(studio: Studio) -> None:
    """Leave an object of every kind that a backend `birds` needs in its way."""
    for kind, name in THEIRS:
        there = studio.get(kind, name.format("cats"))
        theirs = {key: part for key, part in there.items() if key not in ("metadata", "status")}
        for made in ("clusterIP", "clusterIPs", "volumeName"):
            theirs.get("spec", {}).pop(made, None)
        theirs["metadata"] = {"name": name.format("birds")}
        studio.kubectl("create", "--filename=-", input=json.dumps(theirs))
    before = [studio.get(kind, name.format("birds"))["metadata"]["uid"] for kind, name in THEIRS]
    studio.apply("birds", **RICH)
    stalled = ("Stalled", "birds")
    wait_for(lambda: studio.condition(*stalled).get("reason") == "NameConflict", "it is told")
    wait_for(lambda: studio.get("ConfigMap", "birds-model"), "what has a free name is made")
    after = [studio.get(kind, name.format("birds")) for kind, name in THEIRS]
    assert [one["metadata"]["uid"] for one in after] == before
    assert not any("labels" in one["metadata"] for one in after)


def _phase(studio: Studio, training: str) -> str | None:
    found = studio.get("LabelStudioTraining", training) or {}
    return (found.get("status") or {}).get("phase")


def _jobs(studio: Studio, component: str) -> set[str]:
    return {name for name in studio.names("Job") if f"-{component}-" in name}


def _owned_child(studio: Studio) -> str:
    """A child whose owner waits for its end."""
    studio.apply(suspend=True)
    uid = studio.get("LabelStudioBackend", "cats")["metadata"]["uid"]
    owner = {"apiVersion": "lsbackends.dev/v1alpha1", "kind": "LabelStudioBackend", "name": "cats"}
    metadata: dict[str, Any] = {"name": "probe", "namespace": studio.name}
    metadata["ownerReferences"] = [{**owner, "uid": uid, "controller": True, "blockOwnerDeletion": True}]
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})


def _allow(studio: Studio, wanted: list[dict[str, Any]]) -> None:
    """Give an account of this namespace these rights and no others."""
    group = "rbac.authorization.k8s.io"
    name = f"{studio.name}-without"
    subject = {"kind": "ServiceAccount", "name": "without", "namespace": studio.name}
    role = {"apiGroup": group, "kind": "ClusterRole", "name": name}
    documents = [
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": wanted,
        },
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": role,
            "subjects": [subject],
        },
    ]
    studio.kubectl("apply", "--filename=-", input=yaml.safe_dump_all(documents))
