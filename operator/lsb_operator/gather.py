"""Puts the facts about a backend together: from the cache, and from what its pods say."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lsb_operator.actions import sooner
from lsb_operator.api import Api
from lsb_operator.cache import Cache
from lsb_operator.entry import Entry
from lsb_operator.facts import Facts, Key, Manifest, Observed
from lsb_operator.failures.containers import probe_due
from lsb_operator.failures.references import missing
from lsb_operator.kinds import PERSISTENT_VOLUME_CLAIM
from lsb_operator.names import model
from lsb_operator.observe import observed, pod_facts, training_facts
from lsb_operator.queue import Key as BackendKey
from lsb_operator.reports import Reports


@dataclass(frozen=True, slots=True)
class Gathered:
    """The facts, and after how many seconds to look at the pods again (None: nothing goes on in them)."""

    facts: Facts
    later: float | None


async def gather(
    api: Api, cache: Cache, reports: Reports, key: BackendKey, backend: Manifest, now: datetime
) -> Gathered:
    """All that is known about a backend. Raises ApiError."""
    entries, pods = cache.children(key), cache.pods(key)
    events = cache.events(key)
    children = {name: observed(entry.resource, backend, events) for name, entry in entries.items()}
    children |= await _existing_claim(api, backend, children)
    serve = target(entries, key[1])
    said, later = await reports.ask(key, pods, serve)
    known_pods = tuple(pod_facts(pod, events, said.get(pod["metadata"]["name"])) for pod in pods)
    facts = Facts(
        backend=backend,
        now=now,
        children=children,
        pods=known_pods,
        target=serve,
        trainings=tuple(training_facts(one) for one in cache.trainings(key)),
        missing=missing(known_pods, key[0]),
    )
    return Gathered(facts, sooner(later, *(probe_due(pod, now) for pod in known_pods)))


def target(entries: Mapping[Key, Entry], name: str) -> str | None:
    """The version that <name>-model names."""
    entry = entries.get(("ConfigMap", model(name)))
    return (entry.resource.get("data") or {}).get("version") if entry else None


async def _existing_claim(
    api: Api, backend: Manifest, children: Mapping[Key, Observed]
) -> dict[Key, Observed]:
    """The claim that the spec names, whose own access modes count; it is nobody's child, and not watched."""
    name = (backend["spec"].get("storage") or {}).get("existingClaim")
    if name is None or (PERSISTENT_VOLUME_CLAIM.name, name) in children:
        return {}
    found = await api.get(PERSISTENT_VOLUME_CLAIM, backend["metadata"]["namespace"], name)
    return {} if found is None else {(PERSISTENT_VOLUME_CLAIM.name, name): observed(found, backend)}
