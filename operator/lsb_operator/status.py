"""The whole status of a backend, and whether it differs from the one that is there."""

import re
from typing import Any

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolved import Resolved
from lsb_operator import names
from lsb_operator.conditions import conditions, unreadable
from lsb_operator.facts import Facts, Manifest, PodFacts
from lsb_operator.history import current, finished
from lsb_operator.phase import phase
from lsb_operator.readiness import deployment, serving_version

MOST_LABELS = 100
MOST_FIGURES = 64
_VERSION = re.compile(r"[0-9]+-[0-9a-f]{8}")


def status(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Manifest:
    """All that is reported about a backend. Its observedGeneration is the resource's own, written last."""
    found = conditions(backend, resolved, facts)
    observed = deployment(facts)
    serving = any(pod.ready for pod in _serving_pods(facts))
    selector = names.selector(facts.name, "serve")
    report = {
        "phase": phase(found, serving),
        "url": _url(backend, resolved),
        "replicas": int(observed.status.get("replicas") or 0) if observed else 0,
        "selector": ",".join(f"{key}={value}" for key, value in sorted(selector.items())),
        "resolved": resolved.model_dump(mode="json", by_alias=True),
        "model": _model(resolved, facts),
        "training": current(facts),
        "lastTrainings": finished(facts),
        "conditions": found,
        "observedGeneration": facts.generation,
    }
    return dict(_without_nothing(report))


def unreadable_status(facts: Facts, why: str) -> Manifest:
    """The status of a backend whose spec this release cannot read: the old one, with the reason."""
    found = unreadable(facts, why)
    serving = any(pod.ready for pod in _serving_pods(facts))
    changes = {"phase": phase(found, serving), "conditions": found, "observedGeneration": facts.generation}
    return facts.status | changes


def changed(old: Manifest | None, new: Manifest) -> bool:
    """Whether a person or a program would read anything else in `new`."""
    return bool(_without_nothing(old or {}) != _without_nothing(new))


def _url(backend: LabelStudioBackend, resolved: Resolved) -> str:
    ingress = backend.spec.ingress
    if ingress is None:
        return resolved.backend_url
    return f"{'https' if ingress.tls else 'http'}://{ingress.host}{ingress.path}"


def _model(resolved: Resolved, facts: Facts) -> Manifest:
    """Which version is where. What no pod was asked for stays as it was reported last."""
    old = facts.status.get("model") or {}
    told = [pod.served for pod in _serving_pods(facts) if pod.ready and pod.served and pod.served.version]
    ready = any(pod.ready for pod in _serving_pods(facts))
    first = _checked(facts.target) if ready else None
    version = _served_version(resolved, facts) or old.get("version") or first
    served = next((one for one in told if one.version == version), None)
    kept = old if old.get("version") == version else {}
    metrics = served.metrics if served else kept.get("metrics") or {}
    unmatched = served.unmatched_labels if served else kept.get("unmatchedLabels") or []
    return {
        "version": version,
        "target": _checked(facts.target),
        "previous": _checked(facts.previous),
        "metrics": dict(sorted(metrics.items())[:MOST_FIGURES]),
        "unmatchedLabels": sorted(unmatched)[:MOST_LABELS],
    }


def _served_version(resolved: Resolved, facts: Facts) -> str | None:
    """The version of all ready pods; the older one while they differ. None where it is not known."""
    known: list[str] = []
    for pod in _serving_pods(facts):
        version = serving_version(pod, resolved) if pod.ready else None
        if _checked(version):
            known.append(str(version))
    return min(known, key=_sequence, default=None)


def _sequence(version: str) -> tuple[int, str]:
    return int(version.partition("-")[0]), version


def _serving_pods(facts: Facts) -> list[PodFacts]:
    return [pod for pod in facts.pods if pod.component == "serve"]


def _checked(version: str | None) -> str | None:
    """The version if it has the form of one: the API server refuses a whole status for another."""
    return version if version and _VERSION.fullmatch(version) else None


def _without_nothing(value: Any) -> Any:
    """The same without nulls and empty parts, which say nothing."""
    if isinstance(value, dict):
        pruned = {key: _without_nothing(part) for key, part in value.items()}
        return {key: part for key, part in pruned.items() if part is not None and part not in ({}, [])}
    return [_without_nothing(part) for part in value] if isinstance(value, list) else value
