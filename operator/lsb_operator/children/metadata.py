"""What the children have in common: name, labels, and the backend as their owner."""

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.contract import API_VERSION
from lsb_operator import names
from lsb_operator.facts import Manifest


def namespace(backend: LabelStudioBackend) -> str:
    """The namespace of the backend and of all its children."""
    return backend.metadata.namespace or "default"


def metadata(backend: LabelStudioBackend, name: str, component: names.Component) -> Manifest:
    """Metadata of a child that goes with its backend."""
    # Labels and annotations of the resource stay with it: a tracking label of Argo CD must not spread.
    labels = names.labels(backend.metadata.name, component)
    return {"name": name, "namespace": namespace(backend), "labels": labels} | _owners(backend)


def unowned(backend: LabelStudioBackend, name: str, component: names.Component) -> Manifest:
    """Metadata of a child that outlives its backend."""
    # Argo CD prunes what has its label for instances, no owner, and no manifest in Git.
    labels = names.labels(backend.metadata.name, component)
    kept = {key: value for key, value in labels.items() if key != names.INSTANCE}
    return {"name": name, "namespace": namespace(backend), "labels": kept}


def _owners(backend: LabelStudioBackend) -> Manifest:
    uid = backend.metadata.uid
    if uid is None:
        # A manifest that no API server has seen: an owner without a uid would be refused.
        return {}
    owner = {
        "apiVersion": API_VERSION,
        "kind": backend.kind,
        "name": backend.metadata.name,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {"ownerReferences": [owner]}
