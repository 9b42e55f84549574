"""RoleBindings: the rights of both accounts, which the operator's chart defines once for all backends."""

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolved import Resolved
from lsb_operator import names
from lsb_operator.children.metadata import metadata, namespace
from lsb_operator.facts import Facts, Manifest


def serve_binding(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Manifest:
    """Serving pods may ask for trainings, and look which there are."""
    return _binding(backend, names.serve_account(backend.metadata.name), names.SERVE_ROLE, "serve")


def train_binding(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Manifest:
    """Training pods may report how a training goes."""
    return _binding(backend, names.train_account(backend.metadata.name), names.TRAIN_ROLE, "train")


def _binding(backend: LabelStudioBackend, account: str, role: str, component: names.Component) -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": metadata(backend, account, component),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace(backend)}],
    }
