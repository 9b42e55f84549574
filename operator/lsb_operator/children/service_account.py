"""ServiceAccounts: what the serving pods and the training pods are to the API server."""

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolved import Resolved
from lsb_operator import names
from lsb_operator.children.metadata import metadata
from lsb_operator.facts import Facts, Manifest


def serve_account(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Manifest:
    """The account of the serving pods, which ask for trainings."""
    return _account(backend, names.serve_account(backend.metadata.name), "serve")


def train_account(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Manifest:
    """The account of the training pods, which report their progress."""
    return _account(backend, names.train_account(backend.metadata.name), "train")


def _account(backend: LabelStudioBackend, name: str, component: names.Component) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(backend, name, component),
        # A pod that needs the token says so itself.
        "automountServiceAccountToken": False,
    }
