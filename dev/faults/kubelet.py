"""A stand-in for nodes: no container runs, its pods' status says what one would have done."""

import contextlib
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from cluster.api import Api, RefusedError
from urllib3.exceptions import HTTPError

NODE = "made-up"
COMPONENT = "app.kubernetes.io/component"
VERSION = "lsbackends.dev/version"
TRAINING = "lsbackends.dev/training"
FIRST = "0-00000000"
BETTER = "1-11111111"
BROKEN = "2-deadbeef"
"""A version whose pods crash."""
PINNED = "9-99999999"
"""A version that is in no store: its pods crash too."""
LOADING = "4-51055555"
"""A version that is loaded until its pods get the label `loaded`."""
STUCK = "5-57ac5757"
"""The same, and the pods have been at it for an hour."""
LOADED = "loaded"
_NOT_YET = "Readiness probe failed: HTTP probe failed with statuscode: 503"
_CRASHES = {
    BROKEN: "these weights cannot be loaded",
    PINNED: f"version {PINNED} is not in the store",
}
RESULTS = {
    "after-0": {"outcome": "Promoted", "version": BETTER, "previous": FIRST, "message": "better"},
    "after-1": {"outcome": "Promoted", "version": BROKEN, "previous": BETTER, "message": "better still"},
    "awaits": {"outcome": "AwaitingApproval", "version": BETTER, "previous": FIRST, "message": "better"},
}
"""What a training says at its end, by the end of its name."""
_REJECTED = json.dumps({"outcome": "Rejected", "version": "3-33333333", "message": "not better"})
MESSAGES = {"says-nothing": "", "is-cut-off": _REJECTED[:20], "babbles": "Killed"}
"""What is left by trainings whose names end so; others are rejected."""
FAILURES = {"breaks": (1, "CUDA out of memory"), "has-bad-data": (42, "class dog has no box")}
"""Exit code and last words of trainings whose names end so."""
AWAY = "label-studio-is-away"
"""A ConfigMap of this name makes every try to register fail."""
_NO_PROJECT = json.dumps({"message": "Label Studio has no project 1"})
HOLDS = "holds"
"""End of the name of a training that goes on until its Job is deleted."""
_PLENTY = {"cpu": "1000", "memory": "1000Gi", "pods": "10000"}
_PERIOD = 0.1
Json = dict[str, Any]


class Kubelet:
    """Plays one node for as long as the context lasts; trainings do what their names say.

    Real are the scheduler, which places the pods, and the controllers, which make and count them.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._said: set[tuple[str, str]] = set()
        self._promoted: dict[tuple[str, ...], str] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Kubelet":
        node = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": NODE, "labels": {"kubernetes.io/hostname": NODE}},
            "status": {
                "capacity": _PLENTY,
                "allocatable": _PLENTY,
                "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
            },
        }
        self._api.create("/api/v1/nodes", node)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(_PERIOD):
            # A crowded API server may refuse, or not answer: it is asked again.
            with contextlib.suppress(RefusedError, HTTPError):
                self._look()

    def _look(self) -> None:
        # Pods that have done their work need no node any more, and are many.
        mine = f"spec.nodeName={NODE},status.phase!=Succeeded"
        for pod in self._api.get("/api/v1/pods", fieldSelector=mine)["items"]:
            # Somebody else changed the pod meanwhile, or it is gone: it is looked at again.
            with contextlib.suppress(RefusedError):
                self._sync(pod)

    def _sync(self, pod: Json) -> None:
        metadata = pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        if "deletionTimestamp" in metadata:
            self._api.delete(path, gracePeriodSeconds="0")
        elif _loads(pod) and _containers(pod):
            if LOADED in metadata["labels"]:
                pod["status"] |= _phase(pod, "Running", ready=True)
                self._api.replace(f"{path}/status", pod)
        elif not any("waiting" not in one["state"] for one in _containers(pod)) and not _crashed(pod):
            problem = self._missing(pod)
            if problem is not None:
                self._complain(pod, problem)
                return
            pod["status"] |= self._refused(pod) or _status(pod, self._left(pod))
            self._api.replace(f"{path}/status", pod)
            if _loads(pod):
                self._tell(pod, "Unhealthy", _NOT_YET)

    def _left(self, pod: Json) -> str:
        """The termination message of a Job's pod; what it promotes is found by a later `prepare`."""
        volumes = (one.get("persistentVolumeClaim") for one in pod["spec"].get("volumes") or [])
        store = (pod["metadata"]["namespace"], *(claim["claimName"] for claim in volumes if claim))
        if (pod["metadata"].get("labels") or {}).get(COMPONENT) == "prepare":
            version = self._promoted.get(store, FIRST)
            return json.dumps({"outcome": "Prepared", "version": version, "message": "fetched"})
        text = left(pod)
        self._promoted |= {store: BETTER} if json.dumps(RESULTS["after-0"]) == text else {}
        return text

    def _refused(self, pod: Json) -> Json | None:
        """What becomes of a pod that registers, where Label Studio is away."""
        if pod["metadata"]["labels"].get(COMPONENT) != "register":
            return None
        try:
            self._api.get(f"/api/v1/namespaces/{pod['metadata']['namespace']}/configmaps/{AWAY}")
        except RefusedError:
            return None
        return _phase(pod, "Failed", ready=False, terminated=_terminated(1, _NO_PROJECT))

    def _missing(self, pod: Json) -> str | None:
        """What a kubelet says of a Secret to mount that is not there, or lacks a key."""
        for volume in pod["spec"].get("volumes") or []:
            source = volume.get("secret")
            if source is None or source.get("optional"):
                continue
            name = source["secretName"]
            failed = f'MountVolume.SetUp failed for volume "{volume["name"]}" : '
            try:
                secret = self._api.get(f"/api/v1/namespaces/{pod['metadata']['namespace']}/secrets/{name}")
            except RefusedError:
                return f'{failed}secret "{name}" not found'
            for item in source.get("items") or []:
                if item["key"] not in (secret.get("data") or {}):
                    return f"{failed}references non-existent secret key: {item['key']}"
        return None

    def _complain(self, pod: Json, message: str) -> None:
        metadata = pod["metadata"]
        if (metadata["uid"], message) in self._said:
            return
        waiting = {"waiting": {"reason": "ContainerCreating"}}
        containers = [
            {
                "name": one["name"],
                "image": one["image"],
                "imageID": "",
                "ready": False,
                "restartCount": 0,
                "state": waiting,
            }
            for one in pod["spec"]["containers"]
        ]
        pod["status"] |= {"phase": "Pending", "containerStatuses": containers}
        self._api.replace(f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status", pod)
        self._tell(pod, "FailedMount", message)
        self._said.add((metadata["uid"], message))

    def _tell(self, pod: Json, reason: str, message: str) -> None:
        """Post an Event about a pod."""
        metadata, now = pod["metadata"], _now()
        about = {key: metadata[key] for key in ("name", "namespace", "uid")}
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{metadata['name']}.", "namespace": metadata["namespace"]},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", **about},
            "type": "Warning",
            "reason": reason,
            "message": message,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "source": {"component": "kubelet"},
        }
        self._api.create(f"/api/v1/namespaces/{metadata['namespace']}/events", event)


def _containers(pod: Json) -> list[Json]:
    return pod["status"].get("containerStatuses") or []


def _loads(pod: Json) -> bool:
    """Whether its program answers, and has not loaded its model yet."""
    conditions = {one["type"]: one["status"] for one in pod["status"].get("conditions") or []}
    return _version(pod) in (LOADING, STUCK) and conditions.get("Ready") != "True"


def _version(pod: Json) -> str:
    return str((pod["metadata"].get("annotations") or {}).get(VERSION, ""))


def _crashed(pod: Json) -> bool:
    return any(one.get("lastState", {}).get("terminated") for one in _containers(pod))


def left(pod: Json) -> str:
    """The termination message of a training's pod."""
    labels = pod["metadata"].get("labels") or {}
    words = {end: json.dumps(result) for end, result in RESULTS.items()} | MESSAGES
    training = labels.get(TRAINING, "")
    return next((text for end, text in words.items() if training.endswith(end)), _REJECTED)


def _status(pod: Json, message: str) -> Json:
    labels = pod["metadata"].get("labels") or {}
    if labels.get(TRAINING, "").endswith(HOLDS):
        return _phase(pod, "Running", ready=True)
    broken = next((found for end, found in FAILURES.items() if labels.get(TRAINING, "").endswith(end)), None)
    if broken is not None:
        return _phase(pod, "Failed", ready=False, terminated=_terminated(*broken))
    if labels.get(COMPONENT) not in ("serve", "redis"):
        return _phase(pod, "Succeeded", ready=False, terminated=_terminated(0, message))
    version = _version(pod)
    if version in (LOADING, STUCK):
        hour = timedelta(hours=1 if version == STUCK else 0)
        return _phase(pod, "Running", ready=False, began=datetime.now(UTC) - hour)
    if version in _CRASHES:
        return _phase(pod, "Running", ready=False, crashed=_terminated(1, _CRASHES[version]))
    return _phase(pod, "Running", ready=True)


def _phase(
    pod: Json,
    phase: str,
    *,
    ready: bool,
    terminated: Json | None = None,
    crashed: Json | None = None,
    began: datetime | None = None,
) -> Json:
    now = _written(began or datetime.now(UTC))
    state: Json = {"terminated": terminated} if terminated else {"running": {"startedAt": now}}
    if crashed:
        state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting"}}
    containers = [
        {
            "name": one["name"],
            "image": one["image"],
            "imageID": "",
            "ready": ready,
            "started": ready or began is not None,
            "restartCount": 2 if crashed else 0,
            "state": state,
            "lastState": {"terminated": crashed} if crashed else {},
        }
        for one in pod["spec"]["containers"]
    ]
    truth = "True" if ready else "False"
    conditions = [
        {"type": kind, "status": truth, "lastTransitionTime": now} for kind in ("Ready", "ContainersReady")
    ]
    others = [one for one in pod["status"].get("conditions") or [] if one["type"] == "PodScheduled"]
    return {"phase": phase, "containerStatuses": containers, "conditions": [*others, *conditions]}


def _terminated(code: int, message: str) -> Json:
    reason = "Error" if code else "Completed"
    return {
        "exitCode": code,
        "reason": reason,
        "message": message,
        "startedAt": _now(),
        "finishedAt": _now(),
    }


def _now() -> str:
    return _written(datetime.now(UTC))


def _written(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
