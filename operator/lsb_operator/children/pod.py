"""What every pod of a backend has in common: its rights, its place, its environment."""

from typing import Any

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.environment import EnvironmentVariable
from lsb_crds.pods import Pod
from lsb_crds.resources import Resources
from lsb_operator.children.volumes import CA_FILE
from lsb_operator.facts import Manifest

USER = 1000
"""User and group of our images; the weights volume is given to the group."""


def pod_security(user: int = USER, group: int = USER) -> Manifest:
    """The pod's part of what the `restricted` Pod Security Standard asks for."""
    return {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": group,
        "fsGroup": group,
        # Walking through every file of a large volume at each start would take minutes.
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> Manifest:
    """The container's part of it, and a root file system that nobody can write to."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def resources(wanted: Resources) -> Manifest:
    """Requests and limits, as far as there are any."""
    return {key: value for key, value in wanted.model_dump().items() if value}


def environment(wanted: list[EnvironmentVariable], ours: dict[str, str]) -> list[Manifest]:
    """Variables of the container; those of the manifest win over ours of the same name."""
    given = [_plain(variable) for variable in wanted]
    taken = {variable["name"] for variable in given}
    return [{"name": name, "value": value} for name, value in ours.items() if name not in taken] + given


def surroundings(backend: LabelStudioBackend) -> dict[str, str]:
    """Variables that every container of our images needs."""
    # The user of the pod has no home, and libraries write to it.
    variables = {"HOME": "/tmp"}  # noqa: S108
    if backend.spec.label_studio.ca_bundle is not None:
        variables |= {"SSL_CERT_FILE": CA_FILE, "SSL_CERT_DIR": "/etc/ssl/certs"}
    return variables


def placing(pod: Pod, beside: dict[str, str] | None = None) -> Manifest:
    """The fields of a pod that say where it runs, as far as they are given.

    `beside` are labels that the pod itself has: it is kept on the node of the pods that have them too.
    """
    fields = {
        "nodeSelector": dict(pod.node_selector),
        "tolerations": [_plain(toleration) for toleration in pod.tolerations],
        "affinity": affinity(pod, beside),
        "priorityClassName": pod.priority_class_name,
        "runtimeClassName": pod.runtime_class_name,
        "imagePullSecrets": [_plain(secret) for secret in pod.image_pull_secrets],
    }
    return {key: value for key, value in fields.items() if value}


def affinity(pod: Pod, beside: dict[str, str] | None) -> Manifest:
    """The affinity of the manifest, with one term more where the pod must stay beside others."""
    wanted = _plain(pod.affinity) if pod.affinity else {}
    if beside is None:
        return wanted
    # Required of the first pod too, which the scheduler lets through because it matches itself.
    term = {"labelSelector": {"matchLabels": dict(beside)}, "topologyKey": "kubernetes.io/hostname"}
    near = dict(wanted.get("podAffinity") or {})
    key = "requiredDuringSchedulingIgnoredDuringExecution"
    near[key] = [*_as_list(near.get(key)), term]
    return wanted | {"podAffinity": near}


def _as_list(value: Any) -> list[Any]:
    """A list as it is; what should have been one is left for the API server to refuse in its words."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _plain(part: Any) -> Manifest:
    dumped: Manifest = part.model_dump(mode="json", by_alias=True, exclude_none=True)
    return dumped
