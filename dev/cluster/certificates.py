"""The certificates of a control plane: one authority, and what it signs."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from cluster.errors import ClusterError

SERVER_NAMES = (
    "IP:127.0.0.1",
    "DNS:localhost",
    "DNS:kubernetes",
    "DNS:kubernetes.default",
    "DNS:kubernetes.default.svc",
    "DNS:kubernetes.default.svc.cluster.local",
)
_CLIENTS = {
    "admin": "/O=system:masters/CN=admin",
    "controller-manager": "/CN=system:kube-controller-manager",
    "scheduler": "/CN=system:kube-scheduler",
}
NODE = "lsb-node"
"""The node's name."""

_NODE_CLIENTS = {
    "proxy": "/CN=system:kube-proxy",
    "dns": "/CN=lsbackends:dns",
    "policies": "/CN=lsbackends:policies",
    # What the API server shows the kubelet.
    "kubelet-client": "/O=system:masters/CN=kube-apiserver-kubelet-client",
}


def make_certificates(folder: Path, addresses: Sequence[str] = ()) -> None:
    """Write NAME.crt and NAME.key for ca, server, service-accounts and each client, into a new folder.

    `addresses` are further ones of the API server. Where there are any, there is a node, and its parts get
    certificates too.

    Raises ClusterError where openssl (3.0 or later) is missing or refuses.
    """
    folder.mkdir(parents=True)
    _make(
        folder,
        "ca",
        "/CN=lsbackends-cluster",
        "basicConstraints=critical,CA:TRUE",
        "keyUsage=critical,keyCertSign",
    )
    # The token's signature is checked with this one's public key; nobody follows its chain.
    _make(folder, "service-accounts", "/CN=service-accounts")
    names = _alternatives([*SERVER_NAMES, *(f"IP:{address}" for address in addresses)])
    _make(folder, "server", "/CN=kube-apiserver", names, "extendedKeyUsage=serverAuth", signed=True)
    clients = {**_CLIENTS, **(_NODE_CLIENTS if addresses else {})}
    for name, subject in clients.items():
        _make(folder, name, subject, "extendedKeyUsage=clientAuth", signed=True)
    if addresses:
        names = _alternatives([f"DNS:{NODE}", f"IP:{addresses[0]}"])
        subject = f"/O=system:nodes/CN=system:node:{NODE}"
        _make(folder, NODE, subject, names, "extendedKeyUsage=clientAuth,serverAuth", signed=True)


def _alternatives(names: Sequence[str]) -> str:
    return f"subjectAltName={','.join(names)}"


def _make(folder: Path, name: str, subject: str, *extensions: str, signed: bool = False) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        raise ClusterError("openssl is not installed, and makes the cluster's certificates: install it")
    # The machine's own configuration file may add extensions: none is read.
    command = [openssl, "req", "-x509", "-config", "/dev/null", "-days", "365", "-subj", subject]
    command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-keyout", f"{name}.key", "-out", f"{name}.crt"]
    command += ["-CA", "ca.crt", "-CAkey", "ca.key"] if signed else []
    for extension in extensions:
        command += ["-addext", extension]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if made.returncode:
        problem = " ".join(made.stderr.split())[-300:]
        raise ClusterError(
            f"openssl cannot make the certificate {name!r} (3.0 or later is needed): {problem}"
        )
