"""What has to be written so that the cluster has what the spec wants; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from lsb_operator.children.secrets import NewSecret
from lsb_operator.drift import HASH, stamped, unchanged
from lsb_operator.entry import Entry
from lsb_operator.facts import Key, Manifest
from lsb_operator.kinds import JOB
from lsb_operator.names import COMPONENT
from lsb_operator.observe import owned
from lsb_operator.rollout import record_name

_WORKLOADS = ("Deployment", "Job")
# A volume holds what cannot be made again: it goes with the backend or by a person's hand. A Job is history.
_NEVER_DELETED = ("PersistentVolumeClaim", "Job")
BEING_DELETED = "an older object of this name is still being deleted"


@dataclass(frozen=True, slots=True)
class Plan:
    """Writes, in order: `make` does not exist as far as is known, `change` is ours, `delete` not wanted.

    `refused` are names that others' objects have, `waiting` what cannot be applied yet, with the reason.
    """

    secrets: tuple[NewSecret, ...] = ()
    make: tuple[Manifest, ...] = ()
    change: tuple[Manifest, ...] = ()
    delete: tuple[Manifest, ...] = ()
    refused: tuple[str, ...] = ()
    waiting: Mapping[Key, str] = field(default_factory=dict)


def plan(
    desired: Iterable[Manifest],
    secrets: Iterable[NewSecret],
    there: Mapping[Key, Entry],
    backend: Manifest,
    missing: Iterable[str] = (),
) -> Plan:
    """Compare what is wanted with what is there; `missing` as in the facts."""
    wanted = {key_of(manifest): stamped(manifest) for manifest in desired}
    make, change, refused = [], [], []
    waiting: dict[Key, str] = {}
    for key, manifest in wanted.items():
        entry = there.get(key)
        if entry is None:
            make.append(manifest)
        elif "deletionTimestamp" in entry.resource["metadata"] or _orphan(entry, backend):
            waiting[key] = BEING_DELETED
        elif not owned(entry.resource["metadata"], backend):
            refused.append(shown(key))
        elif key[0] != JOB.name and not _as_wanted(manifest, entry):
            change.append(manifest)
    return Plan(
        secrets=_unmade(secrets, there, missing),
        make=tuple(make),
        change=tuple(change),
        delete=tuple(_unwanted(wanted.keys(), there, backend)),
        refused=tuple(refused),
        waiting=waiting,
    )


def key_of(manifest: Manifest) -> Key:
    """Kind and name of an object."""
    return manifest["kind"], manifest["metadata"]["name"]


class Step(Enum):
    """When a child is written: what was decided, then what pods need, then what makes pods."""

    DECISION = "decision"
    NEEDS = "needs"
    WORKLOADS = "workloads"


def step_of(manifest: Manifest, backend: str) -> Step:
    """The step in which a child of `backend` is written."""
    if key_of(manifest) == decision_of(backend):
        return Step.DECISION
    return Step.WORKLOADS if manifest["kind"] in _WORKLOADS else Step.NEEDS


def decision_of(backend: str) -> Key:
    """The child that keeps what was decided."""
    return "ConfigMap", record_name(backend)


def _as_wanted(manifest: Manifest, entry: Entry) -> bool:
    metadata = entry.resource["metadata"]
    if unchanged(manifest, metadata, entry.owned_fields):
        return True
    # The API server does not take everything as it is written: what an apply cannot change stays.
    same = entry.applied[0] == manifest["metadata"]["annotations"][HASH]
    return same and entry.applied == entry.accepted and not _owner_missing(manifest, entry)


def _owner_missing(manifest: Manifest, entry: Entry) -> bool:
    wanted, there = (
        {owner["uid"] for owner in resource["metadata"].get("ownerReferences") or []}
        for resource in (manifest, entry.resource)
    )
    return not wanted <= there


def _unmade(
    secrets: Iterable[NewSecret], there: Mapping[Key, Entry], missing: Iterable[str]
) -> tuple[NewSecret, ...]:
    """The Secrets to make: nobody sees them, so that what is applied after them has to vouch for them."""
    lost = {what.partition(" key ")[0] for what in missing}
    components = {
        entry.resource["metadata"]["labels"].get(COMPONENT)
        for (kind, _), entry in there.items()
        if kind == "Deployment"
    }
    return tuple(
        one
        for one in secrets
        if _path(one.manifest) in lost or one.manifest["metadata"]["labels"][COMPONENT] not in components
    )


def _orphan(entry: Entry, backend: Manifest) -> bool:
    """Whether it was made for a backend of this name that is gone: the garbage collector is on its way."""
    for owner in entry.resource["metadata"].get("ownerReferences") or []:
        same_name = owner.get("kind") == backend["kind"] and owner.get("name") == backend["metadata"]["name"]
        if same_name and owner.get("uid") != backend["metadata"]["uid"]:
            return True
    return False


def _unwanted(wanted: Iterable[Key], there: Mapping[Key, Entry], backend: Manifest) -> Iterable[Manifest]:
    uid = backend["metadata"]["uid"]
    for key in there.keys() - set(wanted):
        metadata = there[key].resource["metadata"]
        ours = any(
            owner.get("uid") == uid and owner.get("controller")
            for owner in metadata.get("ownerReferences") or []
        )
        if ours and key[0] not in _NEVER_DELETED and "deletionTimestamp" not in metadata:
            yield there[key].resource


def shown(key: Key) -> str:
    """Kind and name as people read them."""
    return f"{key[0]} {key[1]}"


def _path(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    return f"{manifest['kind']} {metadata['namespace']}/{metadata['name']}"
