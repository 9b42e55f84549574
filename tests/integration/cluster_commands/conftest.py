"""`kubectl lsb` as a person runs it, before a real API server; where needed, tests play the operator."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster import Cluster
from cluster.api import Api
from cluster.progress import Progress
from cluster.source import find_source

Json = Any
Run = Callable[..., "subprocess.CompletedProcess[str]"]
API = "/apis/lsbackends.dev/v1alpha1/namespaces"


class Studio:
    """A namespace with its backends, as its administrator sees it."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster, self.namespace, self.api = cluster, namespace, Api(cluster.kubeconfig)

    def create(self, name: str = "cats", spec: Json = None) -> None:
        """Create a backend."""
        self.api.create(f"{API}/{self.namespace}/labelstudiobackends", self.manifest(name, spec, {}))

    def apply(self, metadata: Json, spec: Json = None) -> None:
        """Apply `cats` as Argo CD does: by kubectl, which notes what was applied."""
        manifest = self.manifest("cats", spec, metadata)
        self.cluster.kubectl("apply", "--filename=-", input=json.dumps(manifest))

    def manifest(self, name: str, spec: Json, metadata: Json) -> Json:
        """A backend."""
        whole = {"labelStudio": {"url": "http://label-studio:8080"}, **(spec or {})}
        about = {"name": name, "namespace": self.namespace, **metadata}
        start = {"apiVersion": "lsbackends.dev/v1alpha1", "kind": "LabelStudioBackend"}
        return start | {"metadata": about, "spec": whole}

    def get(self, name: str = "cats", kind: str = "labelstudiobackends") -> Json:
        return self.api.get(f"{API}/{self.namespace}/{kind}/{name}")

    def trainings(self) -> list[Json]:
        """The trainings, oldest first."""
        found = self.api.get(f"{API}/{self.namespace}/labelstudiotrainings")["items"]
        return sorted(found, key=lambda one: int(one["metadata"]["resourceVersion"]))

    def report(self, name: str, status: Json, kind: str = "labelstudiobackends") -> None:
        """Write a status, in the place of the operator."""
        found = self.get(name, kind)
        path = f"{API}/{self.namespace}/{kind}/{name}/status"
        self.api.replace(path, found | {"status": {**(found.get("status") or {}), **status}})

    def train(self, name: str, status: Json) -> None:
        """A training of `cats` with a status."""
        about = {"name": name, "namespace": self.namespace}
        manifest = {"apiVersion": "lsbackends.dev/v1alpha1", "kind": "LabelStudioTraining", "metadata": about}
        path = f"{API}/{self.namespace}/labelstudiotrainings"
        self.api.create(path, manifest | {"spec": {"backend": "cats"}})
        self.report(name, status, "labelstudiotrainings")


@pytest.fixture
def studio(cluster: Cluster, namespace: str) -> Studio:
    return Studio(cluster, namespace)


@pytest.fixture(scope="session")
def plugin_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH on which kubectl finds the plugin, and a test finds kubectl."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "kubectl-lsb"
    # What an installation of the package writes there.
    script.write_text(f"#!{sys.executable}\nfrom lsb_cli.cluster.plugin import run\nrun()\n")
    script.chmod(0o755)
    (folder / "kubectl").symlink_to(find_source(None, Progress()).kubectl)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def environment(cluster: Cluster, plugin_path: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a person with the administrator's rights."""
    mine = {"KUBECONFIG": str(cluster.kubeconfig), "PATH": plugin_path, "HOME": str(tmp_path)}
    return {**os.environ, **mine, "COLUMNS": "200"}


@pytest.fixture
def lsb(namespace: str, environment: dict[str, str]) -> Run:
    """Run `kubectl lsb` in this test's namespace; `kubeconfig` by keyword for somebody else's rights."""

    def run(*arguments: str, kubeconfig: Path | None = None) -> "subprocess.CompletedProcess[str]":
        command = ["kubectl", "lsb", *arguments, "-n", namespace]
        command += ["--kubeconfig", str(kubeconfig)] if kubeconfig else []
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    return run


@pytest.fixture
def start(namespace: str, environment: dict[str, str]) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start `kubectl lsb` and go on."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> "subprocess.Popen[str]":
        # The plugin takes kubectl's place in the process.
        command = ["kubectl", "lsb", *arguments, "-n", namespace]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def allowed(cluster: Cluster, namespace: str) -> Callable[..., Path]:
    """A kubeconfig of somebody who may do no more than these verbs with our resources."""

    def allow(*verbs: str) -> Path:
        name = f"ann-{secrets.token_hex(3)}"
        cluster.kubectl("create", "serviceaccount", name, f"--namespace={namespace}")
        if verbs:
            resources = "labelstudiobackends.lsbackends.dev,labelstudiotrainings.lsbackends.dev"
            about = (name, f"--namespace={namespace}")
            cluster.kubectl("create", "role", *about, f"--verb={','.join(verbs)}", f"--resource={resources}")
            who = f"--serviceaccount={namespace}:{name}"
            cluster.kubectl("create", "rolebinding", *about, f"--role={name}", who)
        return cluster.service_account_kubeconfig(namespace, name)

    return allow
