"""The chart agrees with the code that it installs, and with what its parts are made from."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart.made import CHART, RIGHTS, made, rules
from chart.values import described

from lsb_crds import resolve
from lsb_operator import names
from lsb_operator.children.ports import METRICS_PORT
from lsb_operator.prerequisites import OLDEST
from lsb_operator.run import LEASE

ROOT = CHART.parents[1]
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
TEMPLATES = sorted((CHART / "templates").iterdir())
ABOUT = yaml.safe_load((CHART / "Chart.yaml").read_text())


@pytest.mark.parametrize("name", made())
def test_what_is_made_is_up_to_date(name: str) -> None:
    assert (CHART / name).read_text() == made()[name], "run: PYTHONPATH=dev python -m chart"


def test_the_definitions_are_those_of_the_contract() -> None:
    ours = {file.name: file.read_text() for file in (ROOT / "crds").glob("*.yaml")}
    theirs = {file.name: file.read_text() for file in (CHART / "files" / "crds").iterdir()}
    assert theirs == ours


def test_it_installs_the_release_that_it_comes_with() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert ABOUT["appVersion"] == ABOUT["version"] == project["version"]
    image = VALUES["image"]
    assert f"{image['registry']}/{image['repository']}" == f"{resolve.REGISTRY}/operator"


def test_chart_and_operator_want_the_same_cluster() -> None:
    assert ABOUT["kubeVersion"] == f">={OLDEST[0]}.{OLDEST[1]}.0-0"


def test_the_roles_that_the_operator_binds_are_in_it() -> None:
    created = (CHART / "templates" / "clusterroles.yaml").read_text()
    for role in (names.SERVE_ROLE, names.TRAIN_ROLE):
        assert f'"{role.removeprefix("lsbackends-")}"' in created


def test_no_right_is_a_wildcard() -> None:
    assert not any("*" in values for role in rules().values() for rule in role for values in rule.values())


def test_the_lease_is_the_one_that_the_operator_takes() -> None:
    assert [rule.get("resourceNames") for rule in rules()["lease"]] == [None, [LEASE]]


def test_the_end_needs_no_right_that_the_operator_has_not() -> None:
    operator = {(group, resource, verb) for group, resource, verb in _rights("operator")}
    assert _rights("uninstall") < operator


def test_pods_are_found_where_the_operator_labels_them() -> None:
    monitored = (CHART / "templates" / "metrics.yaml").read_text()
    allowed = (CHART / "templates" / "networkpolicy.yaml").read_text()
    labels = names.labels("cats", "serve")
    for key in (names.PART_OF, names.COMPONENT):
        assert f"{key}: {labels[key]}" in monitored
        assert f"{key}: {labels[key]}" in allowed
    assert names.BACKEND in monitored
    assert f"port: {METRICS_PORT}\n" in allowed


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_two_renderings_are_alike(file: Path) -> None:
    """Argo CD would find the release changed each time."""
    assert not re.search(
        r"\b(rand\w+|uuidv4|genCA|genSelfSignedCert|genPrivateKey|now|htpasswd)\b", _code(file)
    )


def test_every_value_is_described_and_in_the_schema() -> None:
    told = {
        text.split()[0] for kind, text in described((CHART / "values.yaml").read_text()) if kind == "param"
    }
    there = set(_leaves(VALUES))
    # A group of Kubernetes' own fields is described as a whole.
    whole = {"resources"}
    assert told == {name for name in there if name.split(".")[0] not in whole} | whole
    for name in told:
        assert _schema_of(name.split(".")), name


def test_every_value_is_used() -> None:
    text = "".join(_code(file) for file in TEMPLATES)
    for name in _leaves(VALUES):
        parts = name.split(".")
        used = any(f".Values.{'.'.join(parts[:depth])}" in text for depth in range(1, len(parts) + 1))
        assert used or parts[0] in ("livenessProbe", "readinessProbe"), name


def _code(file: Path) -> str:
    return "".join(re.findall(r"{{.*?}}", file.read_text(), re.DOTALL))


def _rights(role: str) -> set[tuple[str, str, str]]:
    return {
        (group, resource, verb)
        for rule in rules()[role]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def _leaves(values: dict[str, Any], prefix: str = "") -> list[str]:
    found = []
    for key, value in values.items():
        deeper = isinstance(value, dict) and value and f"{prefix}{key}" != "metrics.dashboard.labels"
        found += _leaves(value, f"{prefix}{key}.") if deeper else [f"{prefix}{key}"]
    return found


def _schema_of(path: list[str]) -> dict[str, Any]:
    part: dict[str, Any] = SCHEMA
    for key in path:
        part = _resolved(part)["properties"][key]
    return _resolved(part)


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMA["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
    return found


def test_the_rights_are_in_one_file() -> None:
    documents = [one for one in yaml.safe_load_all(RIGHTS.read_text()) if "rules" in one]
    assert len(documents) == len(rules()), "two roles of one name"
