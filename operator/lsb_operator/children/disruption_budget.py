"""PodDisruptionBudget: a node that is drained takes one serving pod at a time."""

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolved import Resolved
from lsb_operator import names
from lsb_operator.children.metadata import metadata
from lsb_operator.facts import Facts, Manifest


def disruption_budget(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Manifest | None:
    """The budget; None for a single pod, which it could only pin to its node."""
    if backend.spec.serving.replicas < 2:
        return None
    name = backend.metadata.name
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(backend, name, "serve"),
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": names.selector(name, "serve")},
            # A pod that does not work anyway must not hold a drain up.
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }
