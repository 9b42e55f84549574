"""The files that tell a client where a cluster is and who it is itself."""

import base64
import json
from pathlib import Path
from typing import Any

from cluster.files import write_privately

User = dict[str, str]


def certificate_user(folder: Path, name: str) -> User:
    """Somebody who shows the certificate NAME.crt of a folder."""
    return {
        "client-certificate-data": _encoded(folder / f"{name}.crt"),
        "client-key-data": _encoded(folder / f"{name}.key"),
    }


def token_user(token: str) -> User:
    """Somebody who shows a bearer token."""
    return {"token": token}


def server(url: str, authority: Path) -> dict[str, Any]:
    """Where a cluster is, and the authority that vouches for it."""
    return {"server": url, "certificate-authority-data": _encoded(authority)}


def write_kubeconfig(path: Path, cluster: dict[str, Any], user: User) -> Path:
    """Write a kubeconfig with one cluster and one user, readable by its owner alone; JSON is YAML too."""
    name = "lsbackends"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    write_privately(path, json.dumps(document, indent=2))
    return path


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
