"""A control plane of processes on this machine: started in order, and waited for until it answers."""

import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from label_studio import free_port

from cluster import commands
from cluster.certificates import make_certificates
from cluster.commands import AUDIT_POLICY, Layout
from cluster.errors import ClusterError
from cluster.kubeconfig import certificate_user, server, write_kubeconfig
from cluster.processes import Processes

_SECONDS = 120.0
_ATTEMPTS = 3
_OPTIONAL = {"kube-controller-manager": commands.controller_manager, "kube-scheduler": commands.scheduler}


class _PortTakenError(Exception):
    """Somebody took a port between our look at it and the process that was to have it."""


def start_control_plane(folder: Path, binaries: Path, addresses: Sequence[str] = ()) -> Layout:
    """Start etcd, the API server, and the controller manager and scheduler where `binaries` has them.

    `addresses` are those by which pods reach the API server, the one it listens on first; without any it
    listens on 127.0.0.1. Afterwards `folder` holds kubeconfig (the administrator's), audit.log and logs.
    Raises ClusterError with the end of the log of the part that failed.
    """
    make_certificates(folder / "certificates", addresses)
    (folder / "audit-policy.yaml").write_text(AUDIT_POLICY)
    for attempt in range(_ATTEMPTS):
        layout = Layout(folder, binaries, free_port(), free_port(), free_port(), *addresses[:1])
        try:
            _start(layout, Processes(folder))
            return layout
        except _PortTakenError as error:
            Processes(folder).end()
            if attempt == _ATTEMPTS - 1:
                raise ClusterError(f"no free ports on 127.0.0.1: {error}") from None
    raise AssertionError("the last attempt returns or raises")


def stop_control_plane(folder: Path) -> None:
    """End what was started in the folder."""
    Processes(folder).end()


def _start(layout: Layout, processes: Processes) -> None:
    cluster = server(layout.url, layout.certificates / "ca.crt")
    for name in ("controller-manager", "scheduler"):
        write_kubeconfig(layout.kubeconfig(name), cluster, certificate_user(layout.certificates, name))
    admin = certificate_user(layout.certificates, "admin")
    write_kubeconfig(layout.folder / "kubeconfig", cluster, admin)
    processes.start("etcd", commands.etcd(layout))
    processes.start("kube-apiserver", commands.api_server(layout))
    _wait(layout, processes, "/readyz")
    for name, command in _OPTIONAL.items():
        if (layout.binaries / name).exists():
            processes.start(name, command(layout))
    if "kube-controller-manager" in processes.known():
        # Without it no pod can be made in the namespace.
        _wait(layout, processes, "/api/v1/namespaces/default/serviceaccounts/default")


def _wait(layout: Layout, processes: Processes, path: str) -> None:
    context = ssl.create_default_context(cafile=layout.certificates / "ca.crt")
    context.load_cert_chain(layout.certificates / "admin.crt", layout.certificates / "admin.key")
    deadline = time.monotonic() + _SECONDS
    while not _answers(layout.url + path, context):
        for name in processes.ended():
            raise _failure(name, processes.tail(name))
        if time.monotonic() > deadline:
            raise ClusterError(
                f"the API server did not answer {path} within {_SECONDS:.0f} s:\n"
                + processes.tail("kube-apiserver")
            )
        time.sleep(0.05)


def _answers(url: str, context: ssl.SSLContext) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5, context=context) as answer:  # noqa: S310 - our server
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _failure(name: str, tail: str) -> Exception:
    if "address already in use" in tail:
        return _PortTakenError(tail.splitlines()[-1])
    return ClusterError(f"{name} ended while the cluster started; the end of its log:\n{tail}")
