"""The address of a backend for Label Studio, where the manifest leaves it open."""

import ipaddress
from urllib.parse import urlsplit

from lsb_crds.backend import LabelStudioBackend

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104  A container or another machine reaches no other address.


def addressed(backend: LabelStudioBackend, url: str) -> LabelStudioBackend:
    """The backend with `url` as its backendURL, unless it has one."""
    studio = backend.spec.label_studio
    if studio.backend_url is not None:
        return backend
    spec = backend.spec.model_copy(
        update={"label_studio": studio.model_copy(update={"backend_url": url.rstrip("/")})}
    )
    return backend.model_copy(update={"spec": spec})


def default_host(backend_url: str | None) -> str:
    """Where to listen: on this machine alone, unless Label Studio is told an address outside of it."""
    name = urlsplit(backend_url).hostname if backend_url else None
    if name in (None, "localhost"):
        return LOOPBACK
    try:
        address = ipaddress.ip_address(str(name))
    except ValueError:
        return EVERYWHERE
    return str(address) if address.is_loopback else EVERYWHERE


def local_url(port: int, root_path: str) -> str:
    """This server as a Label Studio on the same machine reaches it."""
    # Not 127.0.0.1: a name is what Label Studio, run in a container, can be told to map to its host.
    return f"http://localhost:{port}{root_path}"
