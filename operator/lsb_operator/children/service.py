"""Service: what Label Studio calls, and an Ingress points to."""

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolved import Resolved
from lsb_operator import names
from lsb_operator.children.metadata import metadata
from lsb_operator.children.ports import SERVE_PORT
from lsb_operator.facts import Facts, Manifest


def service(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Manifest:
    """The Service, without the port for metrics: whoever reads those asks each pod."""
    name = backend.metadata.name
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(backend, name, "serve"),
        "spec": {
            "type": "ClusterIP",
            "selector": names.selector(name, "serve"),
            "ports": [{"name": "http", "port": SERVE_PORT, "targetPort": "http", "protocol": "TCP"}],
        },
    }
