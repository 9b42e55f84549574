"""The whole system in a cluster with a node, as the quickstart makes it: for the end-to-end tests."""

import copy
import json
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shapes
import yaml
from chart.installing import SYSTEM
from cluster import Cluster
from cluster.errors import KubectlError
from cluster.stand_ins import PYTHON_IMAGE
from node_pods import NO_RIGHTS, RESTRICTED

# What a team with its own namespace has: what runs is counted, and what asks for nothing gets a little.
_TEAM = """
apiVersion: v1
kind: LimitRange
metadata: {name: team}
spec: {limits: [{type: Container, defaultRequest: {cpu: 50m, memory: 64Mi}}]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: team}
spec: {hard: {requests.cpu: "4", requests.memory: 8Gi, pods: "20", persistentvolumeclaims: "8"}}
"""
QUICKSTART = Path(__file__).parents[1] / "examples" / "quickstart"
NAMESPACE, BACKEND = "studio", "first"
# What cannot be had without the internet, and what makes a training last a minute on two cores.
PATCH: dict[str, Any] = {
    "model": {"weights": "yolov8n.yaml", "imageSize": shapes.SIZE},
    "training": {
        "epochs": 30,
        "minimumAnnotations": 10,
        "triggers": {"annotations": 20},
        "arguments": shapes.TRAINING,
    },
}
ENDED = ("Succeeded", "Rejected", "Failed", "Superseded", "AwaitingApproval")
PATIENCE = 1200.0
# Asks as Label Studio does, a connection for each request, until it is deleted; a line for each answer.
_CALLER = """
import base64, json, os, sys, time, urllib.request
url, tasks, config = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
secret = open("/auth/credentials").read().strip().encode()
headers = {"Content-Type": "application/json", "Authorization": "Basic " + base64.b64encode(secret).decode()}
project = f"{tasks[0]['project']}.1"
body = json.dumps({"tasks": tasks, "project": project, "label_config": config}).encode()
while True:
    try:
        request = urllib.request.Request(url + "/predict", body, headers)
        with urllib.request.urlopen(request, timeout=100) as answer:
            found = [item.get("model_version") for item in json.load(answer)["results"]]
    except Exception as error:
        found = f"{type(error).__name__}: {error}"
    print(json.dumps(found), flush=True)
    time.sleep(0.1)
"""


def eventually(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """What `condition` gives as soon as it is true; an API server that does not answer is asked again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if found := condition():
                return found
        except KubectlError as error:
            problem = f" ({error})"
        else:
            problem = ""
        assert time.monotonic() < deadline, f"never happened: {what}{problem}"
        time.sleep(0.5)


@dataclass
class Calls:
    """Answers that a caller in the cluster got, in order: the versions of its tasks, or what went wrong."""

    answers: list[Any] = field(default_factory=list)

    @property
    def failed(self) -> list[str]:
        return [answer for answer in self.answers if isinstance(answer, str)]

    @property
    def versions(self) -> list[str]:
        """Each version as often as it began to answer; tasks without an answer are left out."""
        found = [
            version for answer in self.answers if isinstance(answer, list) for version in answer if version
        ]
        return [one for before, one in zip([None, *found], found, strict=False) if one != before]


@dataclass
class Installed:
    """A namespace with a Label Studio and a backend in it."""

    cluster: Cluster
    namespace: str = NAMESPACE
    name: str = BACKEND

    def kubectl(self, *arguments: str, input: str | None = None) -> str:
        return self.cluster.kubectl(f"--namespace={self.namespace}", *arguments, input=input)

    def get(self, *arguments: str) -> Any:
        return json.loads(self.kubectl("get", "--output=json", *arguments))

    def items(self, kind: str, *options: str) -> list[Any]:
        return list(self.get(kind, *options)["items"])

    def apply_quickstart(self) -> None:
        """Everything of the quickstart, the backend made small, in a namespace that has a ResourceQuota."""
        for file in sorted(QUICKSTART.glob("*.yaml")):
            if file.name == "label-studio.yaml":
                self.kubectl("apply", "--filename=-", input=_TEAM)
            if file.name != "backend.yaml":
                self.cluster.kubectl("apply", f"--filename={file}")
        self.apply_backend()

    def apply_backend(self, **changes: Any) -> None:
        """The quickstart's backend, with the parts of its spec that are given changed."""
        manifest = yaml.safe_load((QUICKSTART / "backend.yaml").read_text())
        manifest["metadata"] = {"name": self.name}
        # A copy: what is merged becomes part of the manifest, and the next merge changes that.
        for part in (PATCH, changes):
            merge(manifest["spec"], copy.deepcopy(part))
        self.kubectl("apply", "--filename=-", input=yaml.safe_dump(manifest))

    def backend(self) -> Any:
        return self.get("lsb", self.name)

    def condition(self, kind: str) -> Any:
        conditions = (self.backend().get("status") or {}).get("conditions") or []
        return next((one for one in conditions if one["type"] == kind), None)

    def is_true(self, kind: str) -> bool:
        return (self.condition(kind) or {}).get("status") == "True"

    def version(self) -> str | None:
        """The version that all pods serve."""
        version: str | None = ((self.backend().get("status") or {}).get("model") or {}).get("version")
        return version

    def reason(self, kind: str) -> str | None:
        reason: str | None = (self.condition(kind) or {}).get("reason")
        return reason

    def until_ready(self, what: str = "the backend is ready") -> None:
        def ready() -> bool:
            backend = self.backend()
            seen = (backend.get("status") or {}).get("observedGeneration")
            return seen == backend["metadata"]["generation"] and self.is_true("Ready")

        eventually(ready, what)

    def trainings(self) -> dict[str, Any]:
        """Trainings that learn from annotations, by name."""
        found = self.items("lstrainings", f"--field-selector=spec.backend={self.name}")
        return {one["metadata"]["name"]: one for one in found if one["spec"]["reason"] != "Prepare"}

    def until_trained(self, name: str) -> Any:
        """How a training ended."""

        def ended() -> Any:
            training = self.trainings().get(name)
            return training if training and (training.get("status") or {}).get("phase") in ENDED else None

        return eventually(ended, f"{name} has ended")

    def pods(self, component: str) -> list[Any]:
        """Pods of one component that are not on their way out."""
        labels = f"lsbackends.dev/backend={self.name},app.kubernetes.io/component={component}"
        found = self.items("pods", f"--selector={labels}")
        return [one for one in found if "deletionTimestamp" not in one["metadata"]]

    def running(self, component: str) -> list[Any]:
        """Those of them whose containers run."""
        return [one for one in self.pods(component) if one["status"]["phase"] == "Running"]

    def train(self, name: str, **spec: Any) -> None:
        """Ask for a training as a person does, whether or not anything is new."""
        manifest = {
            "apiVersion": "lsbackends.dev/v1alpha1",
            "kind": "LabelStudioTraining",
            "metadata": {"name": name},
            "spec": {"backend": self.name, "force": True, **spec},
        }
        self.kubectl("apply", "--filename=-", input=json.dumps(manifest))

    def execute(self, pod: str, *command: str) -> str:
        return self.kubectl("exec", pod, "--", *command)

    @contextmanager
    def called(self, tasks: list[dict[str, Any]]) -> Iterator[Calls]:
        """Constant load through the Service, from a pod; complete when the block has ended."""
        calls = Calls()
        url = f"http://{self.name}.{self.namespace}.svc:9090"
        container = {
            "name": "caller",
            "image": PYTHON_IMAGE,
            "command": ["python3", "-u", "-c", _CALLER, url, json.dumps(tasks), shapes.LABEL_CONFIG],
            "securityContext": NO_RIGHTS,
            "volumeMounts": [{"name": "auth", "mountPath": "/auth"}],
        }
        spec = {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "securityContext": RESTRICTED,
            "containers": [container],
            "volumes": [{"name": "auth", "secret": {"secretName": f"{self.name}-basic-auth"}}],
        }
        meta = {"name": "caller", "labels": {"app": "caller"}}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
        self.kubectl("apply", "--filename=-", input=json.dumps(pod))
        self.kubectl("wait", "--for=condition=Ready", "pod/caller", "--timeout=300s")
        try:
            yield calls
        finally:
            said = self.kubectl("logs", "caller")
            self.kubectl("delete", "pod", "caller", "--wait")
            calls.answers += [json.loads(line) for line in said.splitlines()]


def kill_operator(cluster: Cluster) -> None:
    """End the operator's pods at once, as a lost node does."""
    cluster.kubectl("delete", "pods", f"--namespace={SYSTEM}", "--all", "--grace-period=0", "--force")


@contextmanager
def forwarded(cluster: Cluster, namespace: str, service: str, port: int) -> Iterator[str]:
    """The address of a Service on this machine, for as long as the block lasts."""
    command = [str(cluster.kubectl_path), f"--kubeconfig={cluster.kubeconfig}", f"--namespace={namespace}"]
    command += ["port-forward", f"service/{service}", f":{port}", "--address=127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
            assert found, "kubectl forwards no port"
            # What it says later must not fill the pipe.
            threading.Thread(target=process.stdout.read, daemon=True).start()
            yield f"http://127.0.0.1:{found[1]}"
        finally:
            process.terminate()


def merge(into: dict[str, Any], changes: dict[str, Any]) -> None:
    """Change a manifest as `kubectl patch --type=merge` does."""
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value
