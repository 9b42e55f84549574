"""The life of the operator's processes: killed, restarted, handing over, and asking for no right it lacks."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from operating import BACKENDS, RBAC, USER, WRITES, Running, Studio, eventually, manifest
from patience import PATIENCE

KINDS = ("ConfigMap", "Deployment", "PersistentVolumeClaim", "Secret", "Service", "ServiceAccount")
DEPRIVED: set[str] = set()
"""Namespaces in which a test has taken the operator's rights away."""


def _children(studio: Studio) -> set[str]:
    return {f"{kind}/{name}" for kind in KINDS for name in studio.names(kind)}


@pytest.mark.parametrize("writes", [1, 4, 9, 13])
def test_killed_at_a_write_and_restarted_it_ends_in_the_same_state(
    studio: Studio, start_operator: Callable[..., Running], writes: int
) -> None:
    first = start_operator(lease=6)
    eventually(first.leads, "the operator becomes active")
    studio.apply()
    eventually(lambda: len(studio.writes()) >= writes, f"{writes} writes were made")
    first.kill()
    # The Lease of a killed process has to run out.
    second = start_operator()
    eventually(lambda: second.leads() and second.settled(), "the second one has done its work")
    eventually(lambda: studio.names("Job"), "the first version is being made")
    assert _children(studio) == {
        "ConfigMap/cats-config",
        "ConfigMap/cats-model",
        "ConfigMap/cats-rollout",
        "Deployment/cats",
        "PersistentVolumeClaim/cats-weights",
        "Secret/cats-basic-auth",
        "Service/cats",
        "ServiceAccount/cats-serve",
        "ServiceAccount/cats-train",
    }
    assert len(studio.names("Job")) == 1
    assert len(studio.names("LabelStudioTraining")) == 1


def test_a_second_replica_waits_and_takes_over_when_the_first_one_ends(
    studio: Studio, operator: Running, start_operator: Callable[[], Running]
) -> None:
    standby = start_operator()
    studio.apply("one")
    eventually(lambda: studio.get("Service", "one"), "the active one works")
    eventually(operator.settled, "it has done its work")
    assert standby.metric("lsb_leader") == 0
    assert standby.metric("lsb_reconcile_seconds_count") == 0
    told = f"the Lease {studio.name}/lsbackends-operator is held by {_holder(studio)}: waiting"
    assert standby.log.read_text().count(told) == 1
    assert standby.alive()
    before = _holder(studio)
    assert operator.stop() == 0
    # It has not run out: it was let go.
    assert _holder(studio) != before
    eventually(standby.leads, "the other one is active")
    studio.apply("two")
    eventually(lambda: studio.get("Service", "two"), "it works now")


def test_a_replica_that_lost_its_lease_ends_and_says_so(
    studio: Studio, start_operator: Callable[..., Running]
) -> None:
    operator = start_operator(lease=15)
    eventually(operator.leads, "the operator becomes active")
    lease = _lease(studio)
    lease["spec"]["holderIdentity"] = "somebody-else"
    studio.kubectl("replace", "--filename=-", input=json.dumps(lease))
    assert operator.process.wait(PATIENCE) == 1
    assert "was lost" in operator.log.read_text()


def test_a_replica_that_may_not_have_its_lease_says_so(
    studio: Studio, start_operator: Callable[[], Running]
) -> None:
    DEPRIVED.add(studio.name)
    studio.kubectl("delete", "rolebinding", "lsbackends-operator")
    operator = start_operator()
    told = f"the Lease {studio.name}/lsbackends-operator cannot be had: 403 Forbidden"
    eventually(lambda: told in operator.log.read_text(), "it is said")
    assert operator.metric("lsb_leader") == 0


def _lease(studio: Studio) -> Any:
    return json.loads(studio.kubectl("get", "lease", "lsbackends-operator", "--output=json"))


def _holder(studio: Studio) -> str:
    return str(_lease(studio)["spec"].get("holderIdentity"))


def test_a_namespace_that_is_not_served_is_left_alone(studio: Studio, operator: Running) -> None:
    studio.cluster.kubectl("create", "namespace", f"{studio.name}-other")
    other = Studio(studio.cluster, f"{studio.name}-other", studio.api)
    other.apply()
    studio.apply()
    eventually(lambda: studio.get("Service", "cats"), "the served one")
    assert other.status() == {}
    assert other.requests() == []
    studio.cluster.kubectl("delete", "namespace", other.name, "--wait=false")


def test_fifty_backends_at_once_all_get_their_children(studio: Studio, operator: Running) -> None:
    for number in range(50):
        body = manifest(f"cats-{number}", {"labelStudio": {"url": "http://label-studio:8080"}})
        studio.api.create(BACKENDS.format(studio.name), body)
    eventually(lambda: len(studio.names("Deployment")) == 50, "all Deployments")
    eventually(operator.settled, "nothing is left to do")
    made = Counter(one["objectRef"]["resource"] for one in studio.requests() if one["verb"] == "patch")
    # One apply for each, whatever events came meanwhile.
    assert made["services"] == made["serviceaccounts"] / 2 == 50


def test_it_never_asks_for_what_it_may_not_and_has_no_right_that_it_does_not_need(
    studio: Studio, operator: Running
) -> None:
    studio.apply(
        ingress={"host": "ml.example.org"},
        networkPolicy={"enabled": True},
        redis={"mode": "Managed"},
        serving={"replicas": 2},
    )
    eventually(lambda: studio.names("Job") and operator.settled(), "everything is there")
    assert studio.cluster.audit_log is not None
    lines = studio.cluster.audit_log.read_text().splitlines()
    entries = [json.loads(line) for line in lines if f'"{USER}"' in line]
    entries = [one for one in entries if one.get("objectRef", {}).get("namespace") not in DEPRIVED]
    decisions = {one["annotations"].get("authorization.k8s.io/decision") for one in entries}
    assert decisions == {"allow"}
    written = {
        one["objectRef"]["resource"] for one in entries if one["verb"] in WRITES and "objectRef" in one
    }
    rules = [
        rule
        for document in yaml.safe_load_all(RBAC.read_text())
        if document["metadata"]["name"] == "lsbackends-operator"
        for rule in document.get("rules", [])
    ]
    assert not any("*" in values for rule in rules for values in rule.values())
    granted = {
        resource.split("/")[0]
        for rule in rules
        if {"create", "patch"} & set(rule["verbs"])
        for resource in rule["resources"]
    }
    assert granted <= written


def test_secrets_are_never_read(studio: Studio, operator: Running) -> None:
    studio.apply()
    eventually(lambda: studio.names("Job") and operator.settled(), "everything is there")
    secrets = [one["verb"] for one in studio.requests() if one["objectRef"]["resource"] == "secrets"]
    assert secrets == ["create"]


def test_a_second_replica_takes_over_when_the_first_one_is_killed(
    studio: Studio, operator: Running, start_operator: Callable[[], Running]
) -> None:
    standby = start_operator()
    studio.apply("one")
    eventually(lambda: studio.get("Service", "one"), "the active one works")
    holder = _holder(studio)
    operator.kill()
    studio.apply("two")
    eventually(standby.leads, "the Lease has run out, and the other one is active")
    assert _holder(studio) != holder
    eventually(lambda: studio.get("Service", "two"), "it does what came meanwhile")
    eventually(lambda: standby.settled(2), "and nothing is left to do")
    assert set(studio.names("Deployment")) == {"one", "two"}


def test_asked_to_end_it_finishes_what_is_at_hand(
    studio: Studio, operator: Running, start_operator: Callable[[], Running]
) -> None:
    for number in range(30):
        body = manifest(f"cats-{number}", {"labelStudio": {"url": "http://label-studio:8080"}})
        studio.api.create(BACKENDS.format(studio.name), body)
    eventually(lambda: studio.names("Deployment"), "it is in the midst of it")
    assert operator.stop() == 0
    begun = {name.removesuffix("-config") for name in studio.names("ConfigMap") if name.endswith("-config")}
    done = {name for name in begun if studio.status(name).get("observedGeneration") == 1}
    assert begun == done == set(studio.names("Deployment")) == set(studio.names("Service"))
    # It did not stay until all was done, and let the Lease go.
    assert len(done) < 30
    second = start_operator()
    eventually(second.leads, "another one is active at once", patience=10)
    eventually(lambda: len(studio.names("Deployment")) == 30, "and goes on")
