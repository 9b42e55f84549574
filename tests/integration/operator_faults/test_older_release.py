"""Resources that an older release of the definitions let in: with fields that are gone, or without some."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cluster.api import RefusedError
from faults.kubelet import FIRST
from faults.life import SPEC, serves, wait_for
from operating import Studio, manifest

DEFINITION = Path(__file__).parents[3] / "crds" / "lsbackends.dev_labelstudiobackends.yaml"


@pytest.fixture
def older(studio: Studio) -> Iterator[Studio]:
    """A server with an older definition: one field more, none required, no rules."""
    definition = yaml.safe_load(DEFINITION.read_text())
    older = copy.deepcopy(definition)
    spec = older["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    for key in ("required", "x-kubernetes-validations"):
        spec.pop(key, None)
    spec["properties"]["warmUp"] = {"type": "boolean"}
    _define(studio, older)
    wait_for(lambda: _takes(studio, {"warmUp": True}), "the older definition is in force")
    yield studio
    _define(studio, definition)


def test_what_an_older_release_let_in_is_served_or_said(older: Studio) -> None:
    body = manifest("cats", {**SPEC, "warmUp": True})
    older.api.create(older.path("LabelStudioBackend"), body)
    older.api.create(older.path("LabelStudioBackend"), manifest("dogs", {}))
    _define(older, yaml.safe_load(DEFINITION.read_text()))
    wait_for(lambda: not _takes(older, {"warmUp": True}), "the definition of this release is in force")
    # A field that is gone is of no more use, and does no harm.
    serves(older, FIRST)
    assert "warmUp" not in older.get("ConfigMap", "cats-config")["data"]["backend.yaml"]
    # One that is missing is named, and the other backends do not suffer.
    wait_for(lambda: older.condition("Stalled", "dogs"), "the field that is missing is said")
    assert older.condition("Stalled", "dogs")["reason"] == "InvalidSpec"
    assert "labelStudio" in older.condition("Stalled", "dogs")["message"]
    older.patch("lsb", "dogs", {"spec": SPEC}, "--type=merge")
    wait_for(lambda: older.get("Deployment", "dogs"), "corrected, it is served like others")


def _define(studio: Studio, definition: dict[str, Any]) -> None:
    text = json.dumps(definition)
    options = ("--server-side", "--force-conflicts", "--filename=-")
    studio.cluster.kubectl("apply", *options, input=text)


def _takes(studio: Studio, spec: dict[str, Any]) -> bool:
    body = manifest("probe", spec)
    try:
        studio.api.create(studio.path("LabelStudioBackend"), body, dryRun="All", fieldValidation="Strict")
    except RefusedError:
        return False
    return True
