"""All that is in a namespace, without what no two runs have alike."""

import json
import re
from typing import Any

from operating import PATHS, Studio

State = dict[str, Any]
"""Objects by `Kind/name`."""
KINDS = ("LabelStudioBackend", "LabelStudioTraining", *PATHS)
_OTHERS = ("kube-root-ca.crt", "default", "lsbackends-operator")
_DROPPED = (
    "uid",
    "resourceVersion",
    "managedFields",
    "creationTimestamp",
    "generateName",
    "controller-uid",
    "batch.kubernetes.io/controller-uid",
    "lsbackends.dev/applied-hash",
    "lsbackends.dev/training-uid",
    "kubectl.kubernetes.io/last-applied-configuration",
    "pod-template-hash",
    "clusterIP",
    "clusterIPs",
    "uncountedTerminatedPods",
)
_SUBSTITUTES = (
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", "TIME"),
    # Those that begin with a digit are in quotes where a manifest is kept as a text.
    (r'(?:\\")?\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b(?:\\")?', "UID"),
    (r"\b(cats(?:-redis)?)-[0-9a-f]{8,10}(-[0-9a-z]{5})?\b", r"\1-HASH"),
    (r"\b(cats-[a-z0-9-]+-(?:train|[0-9a-f]{8}))-[0-9a-z]{5}\b", r"\1-POD"),
    (r"\b(cats-(?:unregister|after-\d))-[0-9a-f]{8}\b", r"\1-HASH"),
)


def state(studio: Studio) -> State:
    """What there is; of pods only how many are in which phase, since each has a name of its own."""
    found: State = {}
    named: dict[str, list[State]] = {}
    for kind in KINDS:
        for item in studio.api.get(studio.path(kind))["items"]:
            if item["metadata"]["name"] in _OTHERS:
                continue
            plain = _plain(
                {key: part for key, part in item.items() if key != "data" or kind != "Secret"}, studio.name
            )
            if kind == "Pod":
                labels = plain["metadata"]["labels"]
                key = f"Pod/{labels['app.kubernetes.io/component']}/{plain['status']['phase']}"
                found[key] = found.get(key, 0) + 1
            else:
                named.setdefault(f"{kind}/{plain['metadata']['name']}", []).append(plain)
    for name, alike in named.items():
        # Without their hashes two may have one name, in an order that is another in each life.
        for number, one in enumerate(sorted(alike, key=json.dumps)):
            found[f"{name}#{number}" if number else name] = one
    return found


def differences(one: Any, other: Any, at: str = "") -> list[str]:
    """Where two states differ, a line each."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted(one.keys() | other.keys())
        return [line for key in keys for line in differences(one.get(key), other.get(key), f"{at}.{key}")]
    return [] if one == other else [f"{at[1:]}: {_short(one)} | {_short(other)}"]


def jobs_made(studio: Studio) -> dict[str, int]:
    """How often each Job of a training was made by the operator, by the audit log of the API server."""
    found: dict[str, int] = {}
    for entry in studio.requests():
        about = entry["objectRef"]
        made = entry["verb"] == "create" and entry["responseStatus"]["code"] == 201
        if made and about["resource"] == "jobs" and about.get("name", "").endswith("-train"):
            found[about["name"]] = found.get(about["name"], 0) + 1
    return found


def _plain(item: Any, namespace: str) -> Any:
    text = json.dumps(_pruned(item)).replace(namespace, "NAMESPACE")
    for pattern, substitute in _SUBSTITUTES:
        text = re.sub(pattern, substitute, text)
    return json.loads(text)


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _pruned(part) for key, part in value.items() if key not in _DROPPED}
    if isinstance(value, list):
        # Conditions come in the order in which they were first true.
        pruned = [_pruned(part) for part in value]
        is_set = all(isinstance(part, dict) and "type" in part for part in pruned)
        return sorted(pruned, key=lambda part: str(part["type"])) if is_set else pruned
    return value


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) < 300 else text[:300] + "…"
