"""The weights volume: it only grows, it may outlive its backend, and it may tie pods to one node."""

from collections.abc import Callable
from typing import Any

import pytest

from lsb_crds.backend import LabelStudioBackend
from lsb_operator import names
from lsb_operator.facts import Facts, Manifest, Observed

Backend = Callable[..., LabelStudioBackend]
FactsOf = Callable[..., Facts]
Built = Callable[..., dict[tuple[str, str], Manifest]]
CLAIM = ("PersistentVolumeClaim", "cats-weights")


def observed(**spec: Any) -> Observed:
    return Observed(metadata={}, owned_by_us=True, spec=spec)


@pytest.mark.parametrize(("there", "applied"), [("5Gi", "10Gi"), ("10240Mi", "10Gi"), ("0.5Ti", "0.5Ti")])
def test_a_volume_that_was_greater_is_not_shrunk(
    backend_of: Backend, facts_of: FactsOf, built: Built, there: str, applied: str
) -> None:
    known = {CLAIM: observed(resources={"requests": {"storage": there}})}
    claim = built(backend_of({"storage": {"size": "10Gi"}}), facts_of(children=known))[CLAIM]
    assert claim["spec"]["resources"]["requests"]["storage"] == applied


def test_a_retained_volume_has_no_owner_and_no_label_that_argo_cd_prunes_by(
    backend_of: Backend, built: Built
) -> None:
    kept = built(backend_of())[CLAIM]["metadata"]
    assert "ownerReferences" not in kept
    assert names.INSTANCE not in kept["labels"]
    assert kept["labels"][names.BACKEND] == "cats"
    goes = built(backend_of({"storage": {"retain": False}}))[CLAIM]["metadata"]
    assert goes["ownerReferences"][0]["uid"] == "1"


def test_an_existing_claim_is_mounted_and_not_made(backend_of: Backend, built: Built) -> None:
    children = built(backend_of({"storage": {"existingClaim": "team"}}))
    assert "PersistentVolumeClaim" not in {kind for kind, _ in children}
    volumes = children["Deployment", "cats"]["spec"]["template"]["spec"]["volumes"]
    assert {"name": "weights", "persistentVolumeClaim": {"claimName": "team"}} in volumes


@pytest.mark.parametrize(
    ("storage", "found", "tied"),
    [
        ({}, None, True),
        ({"accessModes": ["ReadWriteMany"]}, None, False),
        ({"existingClaim": "team"}, ["ReadWriteMany"], False),
        ({"existingClaim": "team", "accessModes": ["ReadWriteMany"]}, ["ReadWriteOnce"], True),
    ],
)
def test_pods_of_a_volume_for_one_node_stay_together(
    backend_of: Backend,
    facts_of: FactsOf,
    built: Built,
    storage: dict[str, Any],
    found: list[str] | None,
    tied: bool,
) -> None:
    known = {("PersistentVolumeClaim", "team"): observed(accessModes=found)} if found else {}
    template = built(backend_of({"storage": storage}), facts_of(children=known))["Deployment", "cats"][
        "spec"
    ]["template"]
    near = template["spec"].get("affinity", {}).get("podAffinity", {})
    terms = near.get("requiredDuringSchedulingIgnoredDuringExecution", [])
    assert bool(terms) is tied
    for term in terms:
        assert term["topologyKey"] == "kubernetes.io/hostname"
        # The first pod must match itself, or nothing could ever be scheduled.
        assert term["labelSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()


def test_an_affinity_that_is_not_one_is_left_for_the_api_server_to_refuse(
    backend_of: Backend, built: Built
) -> None:
    key = "requiredDuringSchedulingIgnoredDuringExecution"
    backend = backend_of({"serving": {"affinity": {"podAffinity": {key: {"topologyKey": "zone"}}}}})
    affinity = built(backend)["Deployment", "cats"]["spec"]["template"]["spec"]["affinity"]
    assert affinity["podAffinity"][key][0] == {"topologyKey": "zone"}
    assert len(affinity["podAffinity"][key]) == 2
