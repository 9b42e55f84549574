"""What the watches have seen, and no more of it than is used: the operator's memory of the cluster."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace

from lsb_operator.entry import Entry, Packed, owner_of, packed, packed_backend, packed_event
from lsb_operator.facts import Key, Manifest
from lsb_operator.kinds import BACKEND, EVENT, POD, TRAINING
from lsb_operator.queue import Key as BackendKey

Identity = tuple[str, str, str]
"""Kind, namespace and name of an object."""
REMEMBERED_ENDS = 1000
REMEMBERED_SUBJECTS = 5000
"""Objects that are not ours, as far as is known, and whose Events are kept: theirs may arrive first."""
_NO_CHILDREN = (POD.name, TRAINING.name, EVENT.name)


class Cache:
    """Objects by kind and by the backend that they belong to."""

    def __init__(self) -> None:
        self._backends: dict[BackendKey, Packed] = {}
        self._members: dict[BackendKey, dict[Key, Packed]] = {}
        self._owners: dict[Identity, BackendKey] = {}
        self._gone: OrderedDict[Identity, int] = OrderedDict()
        self._early: OrderedDict[Identity, dict[str, Packed]] = OrderedDict()

    def put(self, kind: str, resource: Manifest) -> set[BackendKey]:
        """Keep an object that was seen; the keys of the backends that this concerns."""
        if kind == EVENT.name:
            return self._put_event(resource)
        name = _identity(kind, resource)
        owner = owner_of(kind, resource)
        concerned = self._forget(name) if self._owners.get(name) != owner else set()
        if owner is None:
            return concerned
        self._owners[name] = owner
        if kind == BACKEND.name:
            self._backends[owner] = packed_backend(resource)
        else:
            members = self._members.setdefault(owner, {})
            known = members.get((kind, name[2]))
            members[(kind, name[2])] = replace(
                packed(kind, resource, owner[1]), accepted=known.accepted if known else None
            )
        for event in self._early.pop(name, {}).values():
            self._put_event(event.resource)
        return concerned | {owner}

    def _put_event(self, event: Manifest) -> set[BackendKey]:
        """Keep an Event about an object of ours, or for one that is not known yet."""
        about = event["involvedObject"]
        subject = (about.get("kind", ""), about.get("namespace", ""), about.get("name", ""))
        owner = self._owners.get(subject)
        if owner is None:
            self._early.setdefault(subject, {})[event["metadata"]["name"]] = packed_event(event)
            self._early.move_to_end(subject)
            while len(self._early) > REMEMBERED_SUBJECTS:
                self._early.popitem(last=False)
            return set()
        identity = _identity(EVENT.name, event)
        members = self._members.setdefault(owner, {})
        known = members.get((EVENT.name, identity[2]))
        members[(EVENT.name, identity[2])] = packed_event(event)
        self._owners[identity] = owner
        # The same words once more, with another count and time, are no news.
        news = known is None or known.resource.get("message") != event.get("message")
        return {owner} if news else set()

    def drop(self, kind: str, resource: Manifest) -> set[BackendKey]:
        """Forget an object that is gone; the keys of the backends that this concerns."""
        identity = _identity(kind, resource)
        # An answer to our own write may come after the watch has told of the object's end.
        self._gone[identity] = _version(resource)
        while len(self._gone) > REMEMBERED_ENDS:
            self._gone.popitem(last=False)
        return self._forget(identity)

    def keep_only(self, kind: str, namespace: str | None, there: set[tuple[str, str]]) -> set[BackendKey]:
        """Forget the objects of a kind (in a namespace; None: in all) that a new list no longer has."""
        gone = [
            identity
            for identity in self._owners
            if identity[0] == kind and namespace in (None, identity[1]) and identity[1:] not in there
        ]
        return {key for identity in gone for key in self._forget(identity)}

    def backend(self, key: BackendKey) -> Manifest | None:
        """The backend itself."""
        return _resource(self._backends.get(key))

    def backends(self) -> tuple[BackendKey, ...]:
        """Keys of all backends, and of those that are gone while something of theirs is still there."""
        return tuple(self._backends.keys() | self._members.keys())

    def children(self, key: BackendKey) -> dict[Key, Entry]:
        """Objects made for a backend, by kind and name; without its pods, trainings and Events."""
        return {name: one.entry() for name, one in self._all(key) if name[0] not in _NO_CHILDREN}

    def pods(self, key: BackendKey) -> list[Manifest]:
        """Pods of a backend, by name."""
        return self._resources(key, POD.name)

    def trainings(self, key: BackendKey) -> list[Manifest]:
        """Trainings of a backend, by name."""
        return self._resources(key, TRAINING.name)

    def events(self, key: BackendKey) -> list[Manifest]:
        """Warnings about objects of a backend, by name."""
        return self._resources(key, EVENT.name)

    def remember(self, kind: str, resource: Manifest) -> None:
        """Keep what the API server answered to our own write: it is not made again before it is seen."""
        identity = _identity(kind, resource)
        key = owner_of(kind, resource)
        if key is None:
            return
        name = (kind, identity[2])
        members = self._members.get(key, {})
        known = _resource(self._backends.get(key) if kind == BACKEND.name else members.get(name))
        seen = max(_version(known) if known else 0, self._gone.get(identity, 0))
        if seen > _version(resource):
            return
        self.put(kind, resource)
        if kind != BACKEND.name:
            entry = self._members[key][name]
            self._members[key][name] = replace(entry, accepted=entry.entry().applied)

    def _all(self, key: BackendKey) -> Iterable[tuple[Key, Packed]]:
        return self._members.get(key, {}).items()

    def _resources(self, key: BackendKey, kind: str) -> list[Manifest]:
        found = [(name[1], entry.resource) for name, entry in self._all(key) if name[0] == kind]
        return [resource for _, resource in sorted(found, key=lambda pair: pair[0])]

    def _forget(self, identity: Identity) -> set[BackendKey]:
        owner = self._owners.pop(identity, None)
        if owner is None:
            return set()
        if identity[0] == BACKEND.name:
            self._backends.pop(owner, None)
            return {owner}
        members = self._members[owner]
        members.pop((identity[0], identity[2]), None)
        if not members:
            del self._members[owner]
        return {owner}


def _identity(kind: str, resource: Manifest) -> Identity:
    metadata = resource["metadata"]
    return kind, metadata.get("namespace", ""), metadata["name"]


def _resource(known: Packed | None) -> Manifest | None:
    return known.resource if known else None


def _version(resource: Manifest) -> int:
    return int(resource["metadata"].get("resourceVersion") or 0)
