"""Ingress: the backend as it is reached from outside the cluster."""

from urllib.parse import urlsplit

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolved import Resolved
from lsb_operator.children.metadata import metadata
from lsb_operator.facts import Facts, Manifest


def ingress(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Manifest | None:
    """The Ingress; None where the manifest asks for none."""
    wanted = backend.spec.ingress
    if wanted is None:
        return None
    name = backend.metadata.name
    service = {"service": {"name": name, "port": {"name": "http"}}}
    path = {"path": root_path(backend) or "/", "pathType": "Prefix", "backend": service}
    spec: Manifest = {"rules": [{"host": wanted.host, "http": {"paths": [path]}}]}
    if wanted.class_name is not None:
        spec["ingressClassName"] = wanted.class_name
    if wanted.tls is not None:
        spec["tls"] = [{"hosts": [wanted.host], "secretName": wanted.tls.secret_name}]
    about = metadata(backend, name, "serve")
    if wanted.annotations:
        about["annotations"] = dict(wanted.annotations)
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": about, "spec": spec}


def root_path(backend: LabelStudioBackend) -> str:
    """The prefix under which the backend is reached, such as /cats; "" for none.

    Without an Ingress it is that of `backendURL`, for a gateway that somebody has made by hand.
    """
    wanted = backend.spec.ingress
    path = wanted.path if wanted else urlsplit(backend.spec.label_studio.backend_url or "").path
    return path.rstrip("/")
