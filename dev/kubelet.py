"""A stand-in for the kubelet where there is no node: it only writes what a kubelet would report of pods."""

import json
from typing import Any

from operating import Studio, eventually


def pods(studio: Studio, component: str) -> list[Any]:
    """The pods of one component that are not being deleted."""
    found = studio.api.get(studio.path("Pod"))["items"]
    labels = [(one, one["metadata"]["labels"].get("app.kubernetes.io/component")) for one in found]
    return [one for one, label in labels if label == component and "deletionTimestamp" not in one["metadata"]]


def finish(studio: Studio, component: str, result: dict[str, Any]) -> None:
    """The pod of the Job that is under way ran, and its container left `result`."""
    ended = {"exitCode": 0, "message": json.dumps(result), "finishedAt": "2026-11-22T12:00:00Z"}
    _report(studio, component, {"phase": "Succeeded"}, {"state": {"terminated": ended}})


def runs(studio: Studio, component: str, address: str) -> None:
    """The pod of a component runs at this address, and is ready."""
    conditions = [{"type": kind, "status": "True"} for kind in ("PodScheduled", "Ready", "ContainersReady")]
    status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "conditions": conditions}
    state = {"running": {"startedAt": "2026-11-22T12:00:00Z"}}
    _report(studio, component, status, {"ready": True, "started": True, "state": state})


def _report(studio: Studio, component: str, status: dict[str, Any], container: dict[str, Any]) -> None:
    [pod] = eventually(
        lambda: [one for one in pods(studio, component) if one["status"].get("phase") == "Pending"],
        f"a new {component} pod",
    )
    whole = {
        "name": pod["spec"]["containers"][0]["name"],
        "ready": False,
        "restartCount": 0,
        "image": "image",
        "imageID": "image",
        **container,
    }
    body = {"status": {**status, "containerStatuses": [whole]}}
    studio.patch("pod", pod["metadata"]["name"], body, "--subresource=status")
