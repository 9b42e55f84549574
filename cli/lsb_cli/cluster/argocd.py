"""Whether Argo CD keeps a resource as it is in Git, and what that means for whoever edits it here."""

import json
from typing import Any

import typer

from lsb_crds.contract import GROUP
from lsb_crds.errors import UserError
from lsb_operator.marks import TRACKED
from lsb_operator.names import INSTANCE

_OWN_LABELS = "argocd.argoproj.io/"
_FIELD_MANAGER = "argocd"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

Manifest = dict[str, Any]


def application(resource: Manifest) -> str | None:
    """The name of the Application that tracks a resource; None where none does.

    By annotation it counts only if it names this very resource, as for Argo CD itself. By the common label
    it counts only if Argo CD has written the resource: Helm and people use the same label.
    """
    about = resource["metadata"]
    name, _, of = (about.get("annotations") or {}).get(TRACKED, "").partition(":")
    if name and of == f"{GROUP}/{resource['kind']}:{about['namespace']}/{about['name']}":
        return str(name)
    labels = about.get("labels") or {}
    own = next((value for key, value in labels.items() if key.startswith(_OWN_LABELS)), None)
    writers = [str(one.get("manager")) for one in about.get("managedFields") or []]
    by_label = labels.get(INSTANCE) if any(one.startswith(_FIELD_MANAGER) for one in writers) else None
    found = own or by_label
    return str(found) if found else None


def may_edit(resource: Manifest, field: str, force: bool) -> None:
    """Refuse to edit a field such as spec.suspend if Git sets it; with `force` only warn."""
    tracker = application(resource)
    if tracker is None:
        return
    name = resource["metadata"]["name"]
    if not in_git(resource, field.split(".")):
        told = f"application {tracker} of Argo CD tracks {name}; this stays as long as Git leaves {field} out"
        typer.echo(f"note: {told}", err=True)
        return
    kept = f"Argo CD keeps {name} as it is in Git (application {tracker}) and will undo this"
    if not force:
        raise UserError(f"{kept}: set {field} in Git, or add --force to have it here until the next sync")
    typer.echo(f"warning: {kept} with its next sync; to keep it, set {field} in Git", err=True)


def in_git(resource: Manifest, path: list[str]) -> bool:
    """Whether the manifest that was applied last sets a field; also where that cannot be known."""
    about = resource["metadata"]
    whole = (about.get("annotations") or {}).get(_LAST_APPLIED)
    if whole is not None:
        return _has(json.loads(whole), path)
    applied = [
        one.get("fieldsV1") or {}
        for one in about.get("managedFields") or []
        if str(one.get("manager")).startswith(_FIELD_MANAGER) and one.get("operation") == "Apply"
    ]
    owned = [f"f:{part}" for part in path]
    return any(_has(fields, owned) for fields in applied) if applied else True


def _has(tree: Any, path: list[str]) -> bool:
    for part in path:
        if not isinstance(tree, dict) or part not in tree:
            return False
        tree = tree[part]
    return True
