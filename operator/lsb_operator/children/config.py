"""ConfigMap <name>-config: the resource as the backend reads it, and what of it a server holds on to."""

from typing import Any

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.contract import Contract
from lsb_crds.resolved import Resolved
from lsb_operator import names
from lsb_operator.children.digest import digest
from lsb_operator.children.metadata import metadata, namespace
from lsb_operator.children.text import to_yaml
from lsb_operator.children.volumes import MEDIA
from lsb_operator.facts import Facts, Manifest


def config(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Manifest:
    """The ConfigMap that `lsb serve` and the Jobs read their manifest from."""
    text = to_yaml(document(backend, resolved), sort_keys=True)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(backend, names.config(backend.metadata.name), "serve"),
        "data": {"backend.yaml": text},
    }


def document(backend: LabelStudioBackend, resolved: Resolved) -> Manifest:
    """Name, namespace, uid and spec, with addresses and paths as they are inside a pod."""
    # By its uid the backend is the owner of what its pods make.
    identity = {"uid": backend.metadata.uid} if backend.metadata.uid else {}
    return {
        "apiVersion": backend.api_version,
        "kind": backend.kind,
        "metadata": {"name": backend.metadata.name, "namespace": namespace(backend), **identity},
        "spec": _spec(backend, resolved),
    }


def start_digest(backend: LabelStudioBackend, resolved: Resolved) -> str:
    """A digest of what a server reads once, at its start: another one needs other pods.

    Left out is what arrives by itself (the version), what the pods' form says (resources, images, mounts)
    and what only Jobs or the operator read.
    """
    spec = _spec(backend, resolved)
    studio = _without(spec["labelStudio"], "register", "tokenSecretRef", "caBundle")
    training = spec.get("training", {})
    read = {
        "labelStudio": studio,
        "model": _without(spec.get("model", {}), "version", "weights"),
        "serving": _only(spec.get("serving", {}), "runtime", "precision"),
        "triggers": _only(training.get("triggers", {}), "button", "annotations"),
        "training": _only(training, "minimumAnnotations"),
        "prelabel": spec.get("prelabel", {}),
    }
    # A section with nothing in it says what an absent one says.
    return digest({key: value for key, value in read.items() if value})


def _spec(backend: LabelStudioBackend, resolved: Resolved) -> Manifest:
    # Without defaults: a default that a newer operator knows is a field that an older server refuses.
    spec = _given(backend.spec)
    studio: Manifest = spec["labelStudio"]
    studio["backendURL"] = resolved.backend_url
    media = backend.spec.label_studio.media
    if media is not None and media.claim_name is not None:
        studio["media"] = {"path": MEDIA}
    return spec


def _given(part: Contract) -> Manifest:
    dumped: Manifest = part.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    return dumped


def _only(section: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: section[key] for key in keys if key in section}


def _without(section: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in section.items() if key not in keys}
