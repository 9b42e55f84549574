"""What is kept of an object that was seen: only what is used, as a text, which is a tenth of its parts."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lsb_crds.contract import GROUP
from lsb_operator import names
from lsb_operator.drift import HASH, owned_fields
from lsb_operator.facts import Manifest
from lsb_operator.kinds import BACKEND, POD, TRAINING
from lsb_operator.queue import Key as BackendKey
from lsb_operator.rollout import record_name

_EVENT = (
    "kind",
    "involvedObject",
    "reason",
    "message",
    "type",
    "lastTimestamp",
    "firstTimestamp",
    "eventTime",
)
_METADATA = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "labels",
    "ownerReferences",
    "finalizers",
    "creationTimestamp",
    "deletionTimestamp",
)
_SPEC = {
    "Deployment": ("replicas",),
    "PersistentVolumeClaim": ("storageClassName", "accessModes", "resources", "volumeName"),
    "Job": ("suspend", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"),
    "Pod": ("nodeName", "volumes", "containers"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One object: what is kept of it, and the fields in it that are ours, as JSON.

    `accepted` are digest and fields as they were right after our own apply: all that it can bring about.
    """

    resource: Manifest
    fields: str = "{}"
    accepted: tuple[str, str] | None = None

    @property
    def applied(self) -> tuple[str, str]:
        """Digest of what was applied last, and the fields that are still ours."""
        annotations = self.resource["metadata"].get("annotations") or {}
        return annotations.get(HASH, ""), self.fields

    @property
    def owned_fields(self) -> Mapping[str, Any]:
        """The fields that the operator owns (see drift.owned_fields)."""
        found: Manifest = json.loads(self.fields)
        return found


@dataclass(frozen=True, slots=True)
class Packed:
    """An entry as it is kept: the resource as JSON."""

    text: str
    fields: str = "{}"
    accepted: tuple[str, str] | None = None

    @property
    def resource(self) -> Manifest:
        """What is kept of the object, as plain data of the caller's own."""
        found: Manifest = json.loads(self.text)
        return found

    def entry(self) -> Entry:
        """The entry."""
        return Entry(self.resource, self.fields, self.accepted)


def owner_of(kind: str, resource: Manifest) -> BackendKey | None:
    """The backend that an object belongs to, by its own name, its spec or its label."""
    metadata = resource["metadata"]
    if kind == BACKEND.name:
        name = metadata["name"]
    elif kind == TRAINING.name:
        name = (resource.get("spec") or {}).get("backend")
    else:
        name = (metadata.get("labels") or {}).get(names.BACKEND)
    return (metadata.get("namespace", ""), str(name)) if name else None


def packed(kind: str, resource: Manifest, owner: str) -> Packed:
    """What is kept of an object that belongs to the backend `owner`."""
    if kind == TRAINING.name:
        return Packed(_text(_without_managed_fields(resource)))
    whole = resource["metadata"]
    metadata = {name: whole[name] for name in _METADATA if name in whole}
    ours = {name: text for name, text in (whole.get("annotations") or {}).items() if GROUP in name}
    kept: Manifest = {"kind": kind, "metadata": {**metadata, "annotations": ours}}
    if resource.get("status"):
        kept["status"] = resource["status"]
    if kind in _SPEC:
        spec = resource.get("spec") or {}
        kept["spec"] = {name: spec[name] for name in _SPEC[kind] if name in spec}
    if kind == POD.name:
        containers = kept["spec"].get("containers") or []
        kept["spec"]["containers"] = [{"image": one.get("image")} for one in containers]
    if kind == "ConfigMap" and whole["name"] in (names.model(owner), record_name(owner)):
        kept["data"] = resource.get("data") or {}
    # Alike from backend to backend, but for the owner: kept once for all of them.
    return Packed(_text(kept), sys.intern(_compact(owned_fields(whole))))


def _compact(fields: Mapping[str, Any]) -> str:
    metadata = {name: inner for name, inner in fields.get("f:metadata", {}).items() if "owner" not in name}
    rest = {name: inner for name, inner in fields.items() if name != "f:metadata"}
    kept = {**rest, "f:metadata": metadata} if metadata else rest
    return json.dumps(kept, separators=(",", ":"), sort_keys=True)


def packed_backend(resource: Manifest) -> Packed:
    """What is kept of a backend."""
    # They tell since when a schedule has been what it is, and are much where there is none.
    triggers = ((resource.get("spec") or {}).get("training") or {}).get("triggers") or {}
    return Packed(_text(resource if triggers.get("schedule") else _without_managed_fields(resource)))


def packed_event(event: Manifest) -> Packed:
    """What is kept of an Event."""
    metadata = event["metadata"]
    about = {key: metadata[key] for key in ("name", "namespace", "resourceVersion") if key in metadata}
    return Packed(_text({key: event[key] for key in _EVENT if key in event} | {"metadata": about}))


def _without_managed_fields(resource: Manifest) -> Manifest:
    metadata = {name: value for name, value in resource["metadata"].items() if name != "managedFields"}
    return {**resource, "metadata": metadata}


def _text(value: Manifest) -> str:
    return json.dumps(value, separators=(",", ":"))
