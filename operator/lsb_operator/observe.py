"""Turns what the API server answers into facts: raw objects in, frozen dataclasses out."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from lsb_operator.facts import (
    EventFacts,
    Manifest,
    Observed,
    PodFacts,
    Served,
    Terminated,
    TrainingFacts,
    Waiting,
)
from lsb_operator.names import BACKEND, COMPONENT, VERSION
from lsb_operator.times import time_of as time_of

JOB = "batch.kubernetes.io/job-name"
_STATUS_KINDS = ("Deployment", "StatefulSet", "PersistentVolumeClaim", "Job", "Ingress")
_SPEC_KINDS = ("Deployment", "PersistentVolumeClaim", "Job")
_ORDINARY = ("ContainerCreating", "PodInitializing")
_SOURCES = (
    ("secret", "Secret", "secretName"),
    ("configMap", "ConfigMap", "name"),
    ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName"),
)
_MOUNT_EVENTS = ("FailedMount", "FailedAttachVolume", "FailedMapVolume")


def observed(resource: Manifest, backend: Manifest, events: Iterable[Manifest] = ()) -> Observed:
    """A child (whole or metadata alone) of `backend`, with the Events about it."""
    kind = resource.get("kind", "")
    return Observed(
        metadata=resource["metadata"],
        owned_by_us=owned(resource["metadata"], backend),
        status=resource.get("status") or {} if kind in _STATUS_KINDS else {},
        spec=resource.get("spec") or {} if kind in _SPEC_KINDS else {},
        events=event_facts(events, resource),
    )


def owned(metadata: Mapping[str, Any], backend: Manifest) -> bool:
    """Whether an object was made for this very backend.

    It carries the backend's label, and whoever controls it is the backend. A volume that is retained and a
    Job that unregisters have no controller.
    """
    controllers = [one for one in metadata.get("ownerReferences") or [] if one.get("controller")]
    if any(one.get("uid") != backend["metadata"].get("uid") for one in controllers):
        return False
    return bool((metadata.get("labels") or {}).get(BACKEND) == backend["metadata"]["name"])


def event_facts(events: Iterable[Manifest], about: Manifest) -> tuple[EventFacts, ...]:
    """The Events (core/v1) about one object, newest first."""
    metadata = about["metadata"]
    found = []
    for event in events:
        target = event.get("involvedObject") or {}
        same_uid = target.get("uid") in (None, "", metadata.get("uid"))
        if target.get("kind") == about.get("kind") and target.get("name") == metadata["name"] and same_uid:
            found.append(event)
    return tuple(_event(event) for event in sorted(found, key=_order, reverse=True))


def _order(event: Manifest) -> tuple[datetime, int]:
    # Times are whole seconds: within one, the order in which the API server took them counts.
    version = (event.get("metadata") or {}).get("resourceVersion") or 0
    return _last_seen(event) or datetime.min.replace(tzinfo=UTC), int(version)


def _last_seen(event: Manifest) -> datetime | None:
    seen = (event.get("series") or {}).get("lastObservedTime") or event.get("lastTimestamp")
    return time_of(seen or event.get("eventTime") or event.get("firstTimestamp"))


def _event(event: Manifest) -> EventFacts:
    return EventFacts(
        reason=event.get("reason") or "",
        message=event.get("message") or "",
        type="Normal" if event.get("type") == "Normal" else "Warning",
        last_seen=_last_seen(event),
    )


def pod_facts(pod: Manifest, events: Iterable[Manifest] = (), served: Served | None = None) -> PodFacts:
    """One pod, with the Events about it and what it says of itself (None: it was not asked)."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    spec = pod.get("spec") or {}
    labels = metadata.get("labels") or {}
    main = status.get("containerStatuses") or []
    containers = [*(status.get("initContainerStatuses") or []), *main]
    about = event_facts(events, {"kind": "Pod", **pod})
    deleting = "deletionTimestamp" in metadata
    ready = _condition(status, "Ready").get("status") == "True" and not deleting
    return PodFacts(
        name=metadata["name"],
        component=labels.get(COMPONENT, ""),
        phase=status.get("phase") or "Pending",
        ready=ready,
        started=bool(main) and all(one.get("started") for one in main),
        restarts=sum(one.get("restartCount") or 0 for one in main),
        version=(metadata.get("annotations") or {}).get(VERSION),
        served=served,
        node=spec.get("nodeName"),
        deleting=deleting,
        created_at=time_of(metadata.get("creationTimestamp")),
        unready_since=None if ready else _unready_since(status, main),
        job=labels.get(JOB),
        image=next((one.get("image") or "" for one in spec.get("containers") or []), ""),
        waiting=_waiting(containers),
        ended=_ended(containers),
        unschedulable=_unschedulable(status, about),
        mount=_newest(about, _MOUNT_EVENTS) if _being_created(containers) else None,
        probe=None if ready else _newest(about, ("Unhealthy",)),
        volumes=_volumes(spec),
        reason=status.get("reason"),
        message=status.get("message"),
    )


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    return next((one for one in status.get("conditions") or [] if one.get("type") == kind), {})


def _unready_since(status: Mapping[str, Any], main: list[Mapping[str, Any]]) -> datetime | None:
    """The start of the container that started last, or the loss of readiness, whichever is later."""
    started = [time_of(state.get("startedAt")) for _, state in _states(main, "running")]
    if len(started) < len(main):
        return None
    times = [*started, time_of(_condition(status, "Ready").get("lastTransitionTime"))]
    return max((one for one in times if one is not None), default=None)


def _newest(events: tuple[EventFacts, ...], reasons: tuple[str, ...]) -> str | None:
    return next((event.message for event in events if event.reason in reasons), None)


def _unschedulable(status: Mapping[str, Any], events: tuple[EventFacts, ...]) -> str | None:
    scheduled = _condition(status, "PodScheduled")
    if scheduled.get("status") == "True":
        return None
    # The condition outlives the Event, which the API server forgets after an hour.
    return scheduled.get("message") or _newest(events, ("FailedScheduling",))


def _states(containers: Iterable[Mapping[str, Any]], state: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for one in containers:
        found = (one.get("state") or {}).get(state)
        if found:
            yield one["name"], found


def _being_created(containers: list[Mapping[str, Any]]) -> bool:
    waiting = [found.get("reason") for _, found in _states(containers, "waiting")]
    return any(reason in (None, "", *_ORDINARY) for reason in waiting)


def _waiting(containers: list[Mapping[str, Any]]) -> Waiting | None:
    """The container whose waiting tells most: an ordinary start only if nothing else is the matter."""
    found = [
        Waiting(name, state.get("reason") or "", state.get("message") or "")
        for name, state in _states(containers, "waiting")
    ]
    return min(found, key=lambda waiting: waiting.reason in ("", *_ORDINARY), default=None)


def _ended(containers: list[Mapping[str, Any]]) -> Terminated | None:
    found = [
        _terminated(one["name"], state["terminated"])
        for one in containers
        for state in (one.get("state") or {}, one.get("lastState") or {})
        if state.get("terminated")
    ]
    # A failure tells more than the ends of the containers that did their work.
    return max(found, key=lambda end: (end.exit_code != 0, str(end.finished_at)), default=None)


def _terminated(container: str, state: Mapping[str, Any]) -> Terminated:
    return Terminated(
        container=container,
        exit_code=int(state.get("exitCode") or 0),
        reason=state.get("reason") or "",
        message=state.get("message") or "",
        finished_at=time_of(state.get("finishedAt")),
    )


def _volumes(spec: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for volume in spec.get("volumes") or []:
        for field, kind, key in _SOURCES:
            if field in volume:
                found[volume["name"]] = f"{kind} {volume[field].get(key)}"
    return found


def training_facts(training: Manifest) -> TrainingFacts:
    """A LabelStudioTraining."""
    metadata, spec, status = training["metadata"], training.get("spec") or {}, training.get("status") or {}
    return TrainingFacts(
        name=metadata["name"],
        reason=spec.get("reason") or "Manual",
        created_at=time_of(metadata.get("creationTimestamp")),
        generation=metadata.get("generation") or 1,
        uid=metadata.get("uid") or "",
        deleting="deletionTimestamp" in metadata,
        epochs=spec.get("epochs"),
        arguments=spec.get("arguments") or {},
        force=bool(spec.get("force")),
        phase=status.get("phase"),
        job=status.get("job"),
        promoted=status.get("promoted"),
        message=status.get("message"),
        started_at=time_of(status.get("startedAt")),
        finished_at=time_of(status.get("finishedAt")),
        progress=status.get("progress") or {},
        result=status.get("result") or {},
        annotations=metadata.get("annotations") or {},
        status=status,
    )


def served_by(report: Mapping[str, Any]) -> Served:
    """What a serving pod answers to GET /status on its port for operators."""
    model = report.get("model") or {}
    metrics = model.get("metrics") or {}
    unmatched = (report.get("unmatched") or {}).values()
    return Served(
        version=model.get("version"),
        # The exported model is what serves; where there is none, the weights themselves do.
        metrics=metrics.get("exported") or metrics.get("weights") or {},
        unmatched_labels=tuple(sorted({label for one in unmatched for label in one.get("labels") or []})),
        # A target that the store does not have is newer than a swap that failed before it.
        error=(report.get("store") or report.get("swap_failed") or {}).get("message"),
    )
