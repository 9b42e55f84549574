"""A running operator and the namespace that it works in, for tests and benchmarks."""

import json
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cluster import Cluster
from cluster.api import Api, RefusedError
from patience import PATIENCE

RBAC = Path(__file__).parents[1] / "operator" / "rbac.yaml"
SYSTEM, ACCOUNT = "lsbackends-system", "lsbackends-operator"
USER = f"system:serviceaccount:{SYSTEM}:{ACCOUNT}"
BACKENDS = "/apis/lsbackends.dev/v1alpha1/namespaces/{}/labelstudiobackends"
TRAININGS = "/apis/lsbackends.dev/v1alpha1/namespaces/{}/labelstudiotrainings"
PATHS = {
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "Service": "/api/v1/namespaces/{}/services",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "Ingress": "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "Pod": "/api/v1/namespaces/{}/pods",
}
WRITES = ("create", "update", "patch", "delete", "deletecollection")


def eventually(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """What `condition` gives as soon as it is true: nobody outside of the cluster is told of it."""
    deadline = time.monotonic() + patience
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.02)


@dataclass
class Studio:
    """One namespace of the cluster, as its administrator sees it."""

    cluster: Cluster
    name: str
    api: Api

    def path(self, kind: str, name: str = "") -> str:
        known = {"LabelStudioBackend": BACKENDS, "LabelStudioTraining": TRAININGS, **PATHS}
        return known[kind].format(self.name) + (f"/{name}" if name else "")

    def get(self, kind: str, name: str) -> Any:
        """The object; None if there is none."""
        try:
            return self.api.get(self.path(kind, name))
        except RefusedError as error:
            if error.code == 404:
                return None
            raise

    def names(self, kind: str) -> list[str]:
        """Names of the objects that the operator made, and of none that Kubernetes makes by itself."""
        items = self.api.get(self.path(kind))["items"]
        found = [item["metadata"]["name"] for item in items]
        return sorted(name for name in found if name not in ("default", "kube-root-ca.crt"))

    def children(self) -> set[str]:
        """`Kind/name` of all there is; pods come from Deployments and Jobs."""
        return {f"{kind}/{name}" for kind in PATHS if kind != "Pod" for name in self.names(kind)}

    def apply(self, name: str = "cats", **spec: Any) -> None:
        """Apply a backend as a person does."""
        spec = {"labelStudio": {"url": "http://label-studio:8080"}, **spec}
        self.kubectl("apply", "--filename=-", input=json.dumps(manifest(name, spec)))

    def kubectl(self, *arguments: str, input: str | None = None) -> str:
        return self.cluster.kubectl(*arguments, f"--namespace={self.name}", input=input)

    def patch(self, kind: str, name: str, body: Any, *options: str) -> None:
        self.kubectl("patch", kind, name, f"--patch={json.dumps(body)}", *options)

    def status(self, name: str = "cats") -> dict[str, Any]:
        """What the operator reports of a backend."""
        found = self.get("LabelStudioBackend", name)
        return (found or {}).get("status") or {}

    def condition(self, kind: str, name: str = "cats") -> dict[str, Any]:
        """One of the conditions; empty if it is absent."""
        listed = self.status(name).get("conditions") or []
        return next((one for one in listed if one["type"] == kind), {})

    def requests(self) -> list[dict[str, Any]]:
        """What the operator asked for in this namespace, leases left out."""
        assert self.cluster.audit_log is not None, "this cluster writes no audit log here"
        with self.cluster.audit_log.open() as lines:
            entries = [json.loads(line) for line in lines if f'"{USER}"' in line and f'"{self.name}"' in line]
        return [
            one
            for one in entries
            if one.get("objectRef", {}).get("namespace") == self.name
            and one["objectRef"]["resource"] != "leases"
        ]

    def writes(self) -> list[str]:
        """The writes among them."""
        found = [one for one in self.requests() if one["verb"] in WRITES]
        return [
            f"{one['verb']} {one['objectRef']['resource']}/{one['objectRef'].get('name', '')}"
            for one in found
        ]


def manifest(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """A LabelStudioBackend."""
    return {
        "apiVersion": "lsbackends.dev/v1alpha1",
        "kind": "LabelStudioBackend",
        "metadata": {"name": name},
        "spec": spec,
    }


@dataclass
class Running:
    """A process of the operator."""

    process: "subprocess.Popen[str]"
    log: Path
    port: int = field(default=0)

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels; 0 before it is there."""
        text = self._get("/metrics").decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.M))

    def alive(self) -> bool:
        """Whether it says of itself that it works."""
        return self._get("/livez") == b"ok"

    def leads(self) -> bool:
        """Whether it is the active one."""
        return self.metric("lsb_leader") == 1

    def settled(self, backends: int = 1) -> bool:
        """Whether every backend has been reconciled, and nothing is left to do."""
        done = self.metric("lsb_reconcile_seconds_count") >= backends
        return done and self.metric("lsb_queue_depth") == 0

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def wait(self) -> "Running":
        """Return when its probes answer."""
        line = eventually(lambda: re.search(r"probes on port (\d+)", self.log.read_text()), "an open port")
        self.port = int(line[1])
        return self

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE) as answer:
            found: bytes = answer.read()
            return found
