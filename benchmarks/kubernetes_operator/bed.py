"""A cluster with our resources, and operators in it that have the rights of their ServiceAccount."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from benchmarks.kubernetes_operator.audit import Audit
from benchmarks.kubernetes_operator.client import Client
from cluster import Cluster
from cluster.processes import Processes
from operating import ACCOUNT, BACKENDS, RBAC, SYSTEM, Running, eventually, manifest

from lsb_operator.children.all import children
from lsb_operator.children.secrets import secrets
from lsb_operator.drift import stamped
from lsb_operator.facts import Facts
from lsb_operator.names import weights
from lsb_operator.reconcile import parse
from lsb_operator.rollout import Model, record

CRDS = Path(__file__).parents[2] / "crds"
SERVED = "served"
"""The one namespace that the operator serves; baselines are measured in others."""
PATIENCE = 1200.0
SPEC = {"labelStudio": {"url": "http://label-studio.studio.svc:8080", "projects": [1]}}


@dataclass
class Bed:
    """A cluster, a kubeconfig with the operator's rights, and a folder for logs."""

    cluster: Cluster
    account: Path
    folder: Path
    started: list[Running] = field(default_factory=list)

    def audit(self) -> Audit:
        """A reader of the audit log, from its beginning."""
        assert self.cluster.audit_log is not None
        return Audit(self.cluster.audit_log)

    def operator(self) -> Running:
        """Start an operator; it is active when this returns."""
        running = self.launch().wait()
        eventually(running.leads, "the operator is active", PATIENCE)
        return running

    def launch(self) -> Running:
        """Start an operator, without waiting for it."""
        log = self.folder / f"operator-{len(self.started)}.log"
        command = [sys.executable, "-m", "lsb_cli", "operator", f"--namespace={SERVED}"]
        command += [f"--lease-namespace={SYSTEM}", "--port=0"]
        environment = os.environ | {"KUBECONFIG": str(self.account)}
        with log.open("w") as file:
            process = subprocess.Popen(command, stderr=file, stdout=file, env=environment, text=True)
        self.started.append(Running(process, log))
        return self.started[-1]

    def server_cpu(self) -> float:
        """Seconds of CPU that API server and etcd have used so far."""
        parts = Processes(self.cluster.folder).running()
        return sum(cpu_seconds(parts[name].pid) for name in ("kube-apiserver", "etcd"))


@contextmanager
def bed() -> Iterator[Bed]:
    """A new cluster for as long as the context lasts."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Cluster.start(f"bench-{os.getpid()}") as cluster,
    ):
        if cluster.audit_log is None:
            raise SystemExit(
                "The requests are counted in the API server's audit log, which a cluster that was given or "
                "made by kind does not write here. Unset KUBECONFIG and set KUBEBUILDER_ASSETS."
            )
        definitions = [f"--filename={file}" for file in sorted(CRDS.glob("*.yaml"))]
        cluster.kubectl("apply", "--server-side", *definitions)
        cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", *definitions)
        cluster.kubectl("apply", f"--filename={RBAC}")
        cluster.kubectl("create", "namespace", SERVED)
        account = cluster.service_account_kubeconfig(SYSTEM, ACCOUNT)
        made = Bed(cluster, account, Path(folder))
        try:
            yield made
        finally:
            for running in made.started:
                running.kill()


def settle(running: Running, resources: int, pause: float = 0.5) -> None:
    """Wait until every backend has been reconciled and nothing is left to do; asking costs CPU."""
    began = time.monotonic()
    while not running.settled(resources):
        if time.monotonic() - began > PATIENCE:
            raise SystemExit(f"the operator has not come to rest in {PATIENCE:.0f} s: see {running.log}")
        time.sleep(pause)


async def create_backend(client: Client, namespace: str, name: str) -> dict[str, Any]:
    """Make a backend as a person does; the object as it was stored."""
    return await client.create(BACKENDS.format(namespace), manifest(name, SPEC))


async def create_volume(client: Client, namespace: str, name: str) -> None:
    """Make the volume that a backend's claim is bound to: a claim without one is spoken of every 15 s."""
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": namespace}
    body = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Ti"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": "/nowhere"},
            "claimRef": {**claim, "name": weights(name)},
        },
    }
    await client.create("/api/v1/persistentvolumes", body)


def manifests(live: dict[str, Any]) -> list[dict[str, Any]]:
    """All that the operator writes at first for a backend, Jobs left out, as it writes it."""
    backend = parse(live)
    facts = Facts(backend=live, now=datetime.now(UTC))
    made = [one.filled("not-a-random-password") for one in secrets(backend)]
    return [*made, *map(stamped, [record(backend, Model()), *children(backend, facts)])]


def cpu_seconds(pid: int) -> float:
    """Seconds of CPU that a process has used so far."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def resident_megabytes(pid: int) -> float:
    """Memory of a process, in MiB."""
    return float(psutil.Process(pid).memory_info().rss) / 2**20
