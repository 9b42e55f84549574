"""What the operator may do, what it did, and what it was refused: its Roles beside the audit log."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from operating import RBAC, USER

Right = tuple[str, str, str]
"""API group, resource (with its subresource), verb."""
ROLE = "lsbackends-operator"
INTERNAL: frozenset[Right] = frozenset({("lsbackends.dev", "labelstudiobackends/finalizers", "update")})
"""Rights that the API server asks about while it handles another request: the log is silent about them."""

OWNERS: frozenset[Right] = frozenset(
    {
        ("", "serviceaccounts", "delete"),
        ("", "configmaps", "delete"),
        ("", "persistentvolumeclaims", "delete"),
        ("rbac.authorization.k8s.io", "rolebindings", "delete"),
    }
)
"""Rights without which a lost owner cannot be put back; the API server asks about them in the same way."""


def granted() -> set[Right]:
    """Every right of the operator's Roles."""
    return {
        (group, resource, verb)
        for rule in rules()
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def rules() -> list[dict[str, Any]]:
    """The rules of the operator's Roles, not of those that it lends."""
    documents = yaml.safe_load_all(RBAC.read_text())
    return [rule for one in documents if one["metadata"]["name"] == ROLE for rule in one.get("rules", [])]


def used(log: Path) -> set[Right]:
    """Every right that a request of the operator needed."""
    return {right for entry in _entries(log) for right in _needed(entry)}


def refused(log: Path) -> list[str]:
    """The requests of the operator that it had no right to."""
    return [f"{entry['verb']} {entry['requestURI']}" for entry in _entries(log) if not _allowed(entry)]


def _needed(entry: dict[str, Any]) -> Iterator[Right]:
    about = entry.get("objectRef")
    if about is None or not _allowed(entry):
        return
    resource = "/".join(part for part in (about["resource"], about.get("subresource")) if part)
    yield about.get("apiGroup", ""), resource, entry["verb"]
    if entry["verb"] == "patch" and entry.get("responseStatus", {}).get("code") == 201:
        # An apply that makes the object needs both.
        yield about.get("apiGroup", ""), resource, "create"


def _allowed(entry: dict[str, Any]) -> bool:
    return bool(entry.get("annotations", {}).get("authorization.k8s.io/decision") == "allow")


def _entries(log: Path) -> Iterator[dict[str, Any]]:
    with log.open() as lines:
        for line in lines:
            if f'"{USER}"' in line:
                entry = json.loads(line)
                if entry["user"]["username"] == USER:
                    yield entry
