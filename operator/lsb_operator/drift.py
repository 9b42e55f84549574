"""Whether an object is still as it was applied, from its metadata alone; pure."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from lsb_operator.facts import Manifest
from lsb_operator.names import FIELD_MANAGER

HASH = "lsbackends.dev/applied-hash"


def desired_hash(manifest: Manifest) -> str:
    """A digest of all that the manifest says, the same from run to run."""
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def stamped(manifest: Manifest) -> Manifest:
    """The manifest with its own digest in an annotation, as it is applied."""
    metadata = manifest["metadata"]
    annotations = {**(metadata.get("annotations") or {}), HASH: desired_hash(manifest)}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def owned_fields(metadata: Mapping[str, Any], manager: str = FIELD_MANAGER) -> Mapping[str, Any]:
    """The fields that `manager` has applied and nobody has changed since, as the API server keeps them."""
    for entry in metadata.get("managedFields") or []:
        applied = entry.get("operation") == "Apply" and not entry.get("subresource")
        if applied and entry.get("manager") == manager:
            return entry.get("fieldsV1") or {}
    return {}


def unchanged(stamped_manifest: Manifest, metadata: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
    """Whether the object with this metadata is as `stamped_manifest` wants it.

    `fields` are our own in it. Whoever changes or removes one of them takes it over, so that it is missing
    there; what others add (labels, annotations, sidecars) is theirs, and changes nothing of it.
    """
    annotations = metadata.get("annotations") or {}
    if annotations.get(HASH) != stamped_manifest["metadata"]["annotations"][HASH]:
        return False
    owners = metadata.get("ownerReferences") or []
    wanted_owners = stamped_manifest["metadata"].get("ownerReferences") or []
    if any(owner not in _uids(owners) for owner in _uids(wanted_owners)):
        return False
    return covers(fields, _applied_part(stamped_manifest))


def covers(fields: Mapping[str, Any], value: Any) -> bool:
    """Whether `fields` (fieldsV1 of managedFields) has every field of the plain data `value`."""
    if isinstance(value, Mapping):
        return all(_covers_field(fields, key, inner) for key, inner in value.items())
    if isinstance(value, list):
        return _covers_items(fields, value)
    return True


def _covers_field(fields: Mapping[str, Any], key: str, value: Any) -> bool:
    # The API server drops what is empty, so that nothing can be said about it.
    if value is None or value in ({}, []):
        return True
    inner = fields.get(f"f:{key}")
    if inner is None:
        return False
    # Nothing below it: a single value, or a list or mapping that is owned as a whole.
    return inner == {} or covers(inner, value)


def _covers_items(fields: Mapping[str, Any], items: list[Any]) -> bool:
    """A list whose items are owned one by one: `k:` by their key fields, `v:` by their value."""
    by_key = [(json.loads(name[2:]), inner) for name, inner in fields.items() if name.startswith("k:")]
    values = {name[2:] for name in fields if name.startswith("v:")}
    for item in items:
        if isinstance(item, Mapping):
            if not any(_is(item, key) and covers(inner, item) for key, inner in by_key):
                return False
        elif json.dumps(item) not in values:
            return False
    return True


def _is(item: Mapping[str, Any], key: Mapping[str, Any]) -> bool:
    # A key field that the manifest leaves out has its default, such as TCP.
    return all(item.get(name, value) == value for name, value in key.items())


def _applied_part(manifest: Manifest) -> Manifest:
    """Without what identifies the object, which nobody owns, and without what is compared elsewhere."""
    metadata = {
        name: value for name, value in manifest["metadata"].items() if name in ("labels", "annotations")
    }
    rest = {key: value for key, value in manifest.items() if key not in ("apiVersion", "kind", "status")}
    return {**rest, "metadata": metadata}


def _uids(owners: list[dict[str, Any]]) -> set[Any]:
    return {owner.get("uid") for owner in owners}
