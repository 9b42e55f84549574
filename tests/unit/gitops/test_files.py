"""The files for Argo CD fit together, and are made from what they say they are made from."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from argocd_cm import SNIPPET, snippet

from lsb_crds.crd import resources
from lsb_crds.manifest import load_backend

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "argocd"
APPLICATIONS = [EXAMPLE / "root.yaml", *sorted((EXAMPLE / "apps").glob("*.yaml"))]


def read(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def test_the_settings_are_made_from_the_scripts() -> None:
    assert SNIPPET.read_text(encoding="utf-8") == snippet(), "run: python dev/argocd_cm.py"


def test_every_resource_has_health_and_actions(settings: dict[str, str]) -> None:
    for resource in resources():
        key = f"lsbackends.dev_{resource.model.__name__}"
        assert f"resource.customizations.health.{key}" in settings
        found = yaml.safe_load(settings[f"resource.customizations.actions.{key}"])
        assert all(f'["{one["name"]}"]' in found["discovery.lua"] for one in found["definitions"])


def test_what_is_passed_over_exists_in_the_definitions(settings: dict[str, str]) -> None:
    for resource in resources():
        (definition,) = (ROOT / "crds").glob(f"*_{resource.plural}.yaml")
        schema = read(definition)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        found = settings[
            f"resource.customizations.ignoreResourceUpdates.lsbackends.dev_{resource.model.__name__}"
        ]
        for pointer in yaml.safe_load(found)["jsonPointers"]:
            part = schema
            for key in pointer.strip("/").split("/"):
                part = part["properties"][key]


def test_waves_bring_definitions_then_operator_then_backends() -> None:
    waves = {
        one["metadata"]["name"]: int(one["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])
        for one in map(read, APPLICATIONS[1:])
    }
    assert sorted(waves, key=waves.__getitem__) == [
        "lsbackends-definitions",
        "lsbackends-operator",
        "cats-and-dogs",
    ]
    assert len(set(waves.values())) == 3


@pytest.mark.parametrize("file", APPLICATIONS, ids=lambda file: file.name)
def test_an_application_never_replaces_what_it_applies(file: Path) -> None:
    # Replacing takes away what others own, the operator's finalizer among it.
    assert "Replace=true" not in read(file)["spec"]["syncPolicy"].get("syncOptions", [])


def test_the_definitions_are_all_that_their_application_brings() -> None:
    source = read(EXAMPLE / "apps" / "definitions.yaml")["spec"]["source"]
    brought = sorted((ROOT / source["path"]).glob(source["directory"]["include"]))
    assert [read(file)["kind"] for file in brought] == ["CustomResourceDefinition"] * len(resources())


def test_the_backend_leaves_to_people_what_commands_change() -> None:
    file = ROOT / read(EXAMPLE / "apps" / "backend.yaml")["spec"]["source"]["path"] / "backend.yaml"
    assert load_backend(file).metadata.name == "cats-and-dogs"
    written = read(file)["spec"]
    assert "suspend" not in written
    assert "version" not in written.get("model", {})
