"""Making pods in a namespace of a test, and looking into them."""

import json
from dataclasses import dataclass
from typing import Any

from cluster import Cluster
from cluster.stand_ins import PYTHON_IMAGE

Manifest = dict[str, Any]
PATIENCE = "--timeout=600s"

RESTRICTED: Manifest = {
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "runAsGroup": 1000,
    "fsGroup": 1000,
    "seccompProfile": {"type": "RuntimeDefault"},
}
NO_RIGHTS: Manifest = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
SLEEP = "import time; time.sleep(100000)"
"""The program of a pod that only has to be there."""
# Each answers with its own name.
WEB = """
import http.server, socket
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = socket.gethostname().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(name)))
        self.end_headers()
        self.wfile.write(name)
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""


def pod_spec(script: str, **fields: Any) -> Manifest:
    """A pod of one container that runs a Python program; `container` adds to the container."""
    container = {"name": "main", "image": PYTHON_IMAGE, "command": ["python3", "-u", "-c", script]}
    container |= fields.pop("container", {})
    return {"terminationGracePeriodSeconds": 1, "containers": [container], **fields}


@dataclass
class Pods:
    """One namespace."""

    cluster: Cluster
    namespace: str

    def kubectl(self, *arguments: str, input: str | None = None) -> str:
        """Run kubectl in the namespace."""
        return self.cluster.kubectl(f"--namespace={self.namespace}", *arguments, input=input)

    def apply(self, *manifests: Manifest) -> None:
        """Create or change objects."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self.kubectl("apply", "--filename=-", input=json.dumps(items))

    def get(self, *arguments: str) -> Any:
        """Read objects."""
        return json.loads(self.kubectl("get", "--output=json", *arguments))

    def start(self, name: str, spec: Manifest, labels: dict[str, str] | None = None) -> None:
        """Create a pod and wait until it is ready."""
        self.create(name, spec, labels)
        self.kubectl("wait", "--for=condition=Ready", f"pod/{name}", PATIENCE)

    def create(self, name: str, spec: Manifest, labels: dict[str, str] | None = None) -> None:
        """Create a pod."""
        meta = {"name": name, "labels": labels or {"app": name}}
        self.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})

    def web(self, replicas: int = 2) -> None:
        """A Deployment `web` whose pods answer with their names, and its Service on port 80."""
        probe = {"httpGet": {"port": 8000}, "periodSeconds": 1, "timeoutSeconds": 30}
        spec = pod_spec(WEB, container={"readinessProbe": probe, "ports": [{"containerPort": 8000}]})
        labels = {"app": "web"}
        template = {"metadata": {"labels": labels}, "spec": spec}
        deployment = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
        service = {"selector": labels, "ports": [{"port": 80, "targetPort": 8000}]}
        meta = {"name": "web"}
        self.apply(
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": deployment},
            {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": service},
        )
        self.kubectl("rollout", "status", "deployment/web", PATIENCE)

    def python(self, name: str, script: str) -> str:
        """Run a Python program in a pod; what it prints."""
        return self.kubectl("exec", name, "--", "python3", "-c", script).strip()
