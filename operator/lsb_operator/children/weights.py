"""The weights volume: a claim of our own, or one that exists; and which pods must share a node for it."""

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.quantity import quantity
from lsb_crds.resolved import Resolved
from lsb_operator import names
from lsb_operator.children.digest import digest
from lsb_operator.children.metadata import metadata, unowned
from lsb_operator.facts import NOTHING, Facts, Manifest

KIND = "PersistentVolumeClaim"
_LONGEST_LABEL = 63


def weights(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Manifest | None:
    """The claim; None where an existing one is used."""
    storage = backend.spec.storage
    if storage.existing_claim is not None:
        return None
    name = names.weights(backend.metadata.name)
    spec: Manifest = {
        "accessModes": list(storage.access_modes),
        "resources": {"requests": {"storage": grown(storage.size, name, facts)}},
    }
    if storage.storage_class_name is not None:
        spec["storageClassName"] = storage.storage_class_name
    about = unowned(backend, name, "serve") if storage.retain else metadata(backend, name, "serve")
    decided = facts.decisions.text()
    if decided:
        # All else that knows of them goes with the backend; the volume may stay, and be used again.
        about["annotations"] = {names.DECISIONS: decided}
    return {"apiVersion": "v1", "kind": KIND, "metadata": about, "spec": spec}


def claim(backend: LabelStudioBackend) -> str:
    """Name of the claim that the pods mount."""
    return backend.spec.storage.existing_claim or names.weights(backend.metadata.name)


def grown(size: str, name: str, facts: Facts) -> str:
    """`size`, or what the claim `name` already asks for if that is more, since a volume cannot shrink."""
    observed = facts.children.get((KIND, name))
    spec = observed.spec if observed else NOTHING
    asked = spec.get("resources", {}).get("requests", {}).get("storage")
    return asked if asked is not None and quantity(asked) > quantity(size) else size


def company(backend: LabelStudioBackend) -> dict[str, str]:
    """The label of all pods that mount the volume."""
    name = claim(backend)
    # A claim's name may be longer than a label's value.
    return {names.VOLUME: name if len(name) <= _LONGEST_LABEL else digest(name)}


def one_node(backend: LabelStudioBackend, facts: Facts) -> bool:
    """Whether the volume can be mounted on one node only; the claim knows better than the manifest."""
    observed = facts.children.get((KIND, claim(backend)))
    found = observed.spec.get("accessModes") if observed else None
    return "ReadWriteMany" not in (found or backend.spec.storage.access_modes)
