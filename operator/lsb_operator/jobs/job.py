"""What every Job has in common: made once, it reads its manifest as it was then, and gives bad data up."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.exit_codes import BAD_DATA
from lsb_crds.pods import Pod
from lsb_crds.resolved import Resolved
from lsb_operator import marks, names
from lsb_operator.children import pod, volumes
from lsb_operator.children.config import document
from lsb_operator.children.text import to_yaml
from lsb_operator.children.volumes import Mounted
from lsb_operator.facts import Manifest

TERMINATION_FILE = "/dev/termination-log"
_NEEDED_IN_A_JOB = ("labelStudio", "model", "serving", "training")


@dataclass(frozen=True, slots=True)
class Container:
    """The one container of a Job; `settings` is the part of the manifest that says where its pod runs."""

    image: str
    command: list[str]
    settings: Pod
    resources: Manifest
    mounted: tuple[Mounted, ...]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """How often and how long (seconds) a Job tries, and how long it is kept: None until somebody says so."""

    retries: int
    seconds: int
    kept: int | None = None


def job(
    metadata: Manifest,
    template: Manifest,
    limits: Limits,
    queue: str | None = None,
) -> Manifest:
    """A Job, to be created once; with a queue it waits until Kueue admits it, and nobody applies it again."""
    spec: Manifest = {
        "backoffLimit": limits.retries,
        "activeDeadlineSeconds": limits.seconds,
        "podFailurePolicy": _failure_policy(),
        "template": template,
    }
    if limits.kept is not None:
        spec["ttlSecondsAfterFinished"] = limits.kept
    if queue is not None:
        labels = metadata["labels"] | {marks.QUEUE: queue}
        metadata = metadata | {"labels": labels}
        spec["suspend"] = True
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def template(
    backend: LabelStudioBackend,
    metadata: Manifest,
    container: Container,
    account: str | None = None,
    beside: dict[str, str] | None = None,
) -> Manifest:
    """A Job's pod template. `account` is a ServiceAccount whose token the pod gets, None: no token."""
    pod_volumes, mounts = volumes.fields(container.mounted)
    identity = {"serviceAccountName": account} if account else {}
    return {
        "metadata": metadata,
        "spec": {
            **identity,
            "automountServiceAccountToken": account is not None,
            "enableServiceLinks": False,
            "restartPolicy": "Never",
            "securityContext": pod.pod_security(),
            "containers": [_container(backend, container, mounts)],
            "volumes": pod_volumes,
            **pod.placing(container.settings, beside),
        },
    }


def manifest_file() -> Mounted:
    """backend.yaml from the pod's own annotation: it stays as it was when the backend changes or is gone."""
    return _annotations({volumes.MANIFEST_FILE: marks.MANIFEST})


def training_files() -> Mounted:
    """The same for a pod that works on the store, with what was decided about the versions in it."""
    return _annotations({volumes.MANIFEST_FILE: marks.MANIFEST, volumes.DECISIONS_FILE: names.DECISIONS})


def manifest_text(backend: LabelStudioBackend, resolved: Resolved) -> str:
    """What a Job has to know of a backend; where pods run and how they are reached is left out."""
    whole = document(backend, resolved)
    spec = {key: value for key, value in whole["spec"].items() if key in _NEEDED_IN_A_JOB}
    for part in ("serving", "training"):
        if part in spec:
            spec[part] = _without_placing(spec[part])
    return to_yaml(whole | {"spec": {key: value for key, value in spec.items() if value}}, sort_keys=True)


def command(words: Iterable[str], options: dict[str, str | None]) -> list[str]:
    """The command line of `lsb`, without the options that have no value."""
    given = {"-f": volumes.MANIFEST_FILE} | options
    return [
        "lsb",
        *words,
        *(word for key, value in given.items() if value is not None for word in (key, value)),
    ]


def job_labels(
    backend: LabelStudioBackend, component: names.Component, more: dict[str, str]
) -> dict[str, str]:
    """Labels of a Job's pod."""
    return names.labels(backend.metadata.name, component) | more


def _annotations(files: dict[str, str]) -> Mounted:
    """Annotations of the pod as files of one folder; the file of one that it does not have is empty."""
    items = [
        {
            "path": path.removeprefix(f"{volumes.CONFIGURATION}/"),
            "fieldRef": {"fieldPath": f"metadata.annotations['{key}']"},
        }
        for path, key in files.items()
    ]
    volume = {"name": "configuration", "downwardAPI": {"items": items}}
    mount = {"name": "configuration", "mountPath": volumes.CONFIGURATION, "readOnly": True}
    return Mounted(volume, mount)


def _without_placing(part: dict[str, Any]) -> dict[str, Any]:
    # Resources stay: by them it is known whether a GPU runs the model.
    placing = {name for name in Pod.model_fields if name != "resources"}
    aliases = {Pod.model_fields[name].alias or name for name in placing}
    return {key: value for key, value in part.items() if key not in aliases}


def _container(backend: LabelStudioBackend, container: Container, mounts: list[Manifest]) -> Manifest:
    ours = pod.surroundings(backend) | container.environment
    return {
        "name": "lsb",
        "image": container.image,
        "command": container.command,
        "env": pod.environment(container.settings.env, ours),
        "resources": container.resources,
        "securityContext": pod.container_security(),
        "volumeMounts": mounts,
        "terminationMessagePath": TERMINATION_FILE,
        # A program that was killed leaves the end of its log instead.
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def _failure_policy() -> Manifest:
    """A drained node is not a failure, and bad data does not get better by another attempt."""
    return {
        "rules": [
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [BAD_DATA]}},
        ]
    }
