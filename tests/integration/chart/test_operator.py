"""The operator as the chart starts it, with the rights that the chart gives it."""

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart.installing import OPERATOR, SYSTEM, allowed, established, fresh, install
from cluster import Cluster
from helm import Helm
from operating import Running, eventually

ACCOUNT = f"{SYSTEM}:{OPERATOR}"
SPEC: dict[str, Any] = {
    "labelStudio": {"url": "http://label-studio:8080", "projects": [1]},
    "ingress": {"host": "ml.example.org"},
    "networkPolicy": {"enabled": True},
    "redis": {"mode": "Managed"},
    "serving": {"replicas": 2},
}
CHILDREN = {
    "ConfigMap/cats-config",
    "ConfigMap/cats-model",
    "ConfigMap/cats-rollout",
    "Deployment/cats",
    "Deployment/cats-redis",
    "Ingress/cats",
    "NetworkPolicy/cats",
    "NetworkPolicy/cats-redis",
    "NetworkPolicy/cats-train",
    "PersistentVolumeClaim/cats-redis",
    "PersistentVolumeClaim/cats-weights",
    "PodDisruptionBudget/cats",
    "RoleBinding/cats-serve",
    "RoleBinding/cats-train",
    "Secret/cats-basic-auth",
    "Secret/cats-redis",
    "Service/cats",
    "Service/cats-redis",
    "ServiceAccount/cats-serve",
    "ServiceAccount/cats-train",
}


def test_with_the_rights_of_the_chart_a_backend_gets_all_its_children(
    cluster: Cluster, helm: Helm, start_operator: Callable[[], Running]
) -> None:
    install(helm)
    established(cluster)
    cats = fresh(cluster, "studio")
    operator = start_operator()
    eventually(operator.leads, "the operator becomes active")
    cats.apply(**SPEC)
    eventually(lambda: cats.names("Job") and operator.settled(), "everything is there")
    assert {one for one in cats.children() if not one.startswith("Job/")} == CHILDREN
    assert _refused(cluster, f"system:serviceaccount:{ACCOUNT}") == []
    # What it lends to pods arrives there.
    for account, resource in (
        ("cats-serve", "labelstudiotrainings.lsbackends.dev"),
        ("cats-train", "labelstudiotrainings.lsbackends.dev"),
    ):
        assert allowed(cluster, f"{cats.name}:{account}", "create", resource, cats.name) == (
            "serve" in account
        )
    assert operator.stop() == 0


def test_in_namespaces_of_its_own_it_does_the_same_and_has_no_right_elsewhere(
    cluster: Cluster, helm: Helm, start_operator: Callable[[], Running]
) -> None:
    cats, others = fresh(cluster, "team-a"), fresh(cluster, "team-b")
    install(helm, f"--set=scope=Namespaced,namespaces={{{cats.name}}}")
    established(cluster)
    operator = start_operator()
    eventually(operator.leads, "the operator becomes active")
    others.apply(**SPEC)
    cats.apply(**SPEC)
    eventually(lambda: cats.names("Job") and operator.settled(), "everything is there")
    theirs = {f"RoleBinding/{OPERATOR}"}
    assert {one for one in cats.children() if not one.startswith("Job/")} == CHILDREN | theirs
    assert others.children() == set()
    assert _refused(cluster, f"system:serviceaccount:{ACCOUNT}") == []
    for verb, resource in (("list", "pods"), ("create", "secrets"), ("patch", "deployments.apps")):
        assert allowed(cluster, ACCOUNT, verb, resource, cats.name)
        assert not allowed(cluster, ACCOUNT, verb, resource, others.name)
        assert not allowed(cluster, ACCOUNT, verb, resource)


def test_it_waits_for_its_definitions_and_says_what_to_do(
    cluster: Cluster, helm: Helm, start_operator: Callable[[], Running]
) -> None:
    said = install(helm, "--set=crds.install=false")
    assert "The definitions are not part of this release" in said
    operator = start_operator()
    eventually(lambda: "To do: install the definitions" in operator.log.read_text(), "it says so")
    assert operator.alive()
    assert _readiness(operator) == 503
    install(helm)
    established(cluster)
    eventually(operator.leads, "it goes on by itself")
    assert _readiness(operator) == 200
    assert operator.log.read_text().count("To do: install the definitions") == 1


def test_people_who_may_view_or_edit_a_namespace_may_view_or_edit_backends(
    cluster: Cluster, helm: Helm
) -> None:
    install(helm)
    established(cluster)
    people = fresh(cluster, "people")
    resource = "labelstudiobackends.lsbackends.dev"
    for role in ("view", "edit"):
        people.kubectl("create", "serviceaccount", role)
        account = f"--serviceaccount={people.name}:{role}"
        people.kubectl("create", "rolebinding", role, f"--clusterrole={role}", account)
    viewer, editor = f"{people.name}:view", f"{people.name}:edit"
    eventually(lambda: allowed(cluster, editor, "create", resource, people.name), "edit has it")
    eventually(lambda: allowed(cluster, viewer, "list", resource, people.name), "view has it")
    assert not allowed(cluster, viewer, "create", resource, people.name)
    assert not allowed(cluster, editor, "create", resource, "default")


@pytest.fixture
def old_cluster(tmp_path: Path) -> Iterator[Path]:
    """A kubeconfig of a server that answers as Kubernetes 1.30 does: no such API server can be had here."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"major": "1", "minor": "30"}).encode() if self.path == "/version" else b"{}"
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    file = tmp_path / "kubeconfig"
    file.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "old", "cluster": {"server": address}}],
                "contexts": [{"name": "old", "context": {"cluster": "old", "user": ""}}],
                "current-context": "old",
            }
        )
    )
    yield file
    server.shutdown()
    server.server_close()


def test_in_a_cluster_that_is_too_old_it_ends_with_one_line(old_cluster: Path) -> None:
    command = [sys.executable, "-m", "lsb_cli", "operator", "--port=0"]
    environment = os.environ | {"KUBECONFIG": str(old_cluster)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: This cluster runs Kubernetes 1.30, and lsbackends needs 1.31 or newer")
    assert "To do: upgrade the cluster" in last
    assert "Traceback" not in done.stderr


def _readiness(operator: Running) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{operator.port}/readyz", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def _refused(cluster: Cluster, user: str) -> list[str]:
    """Requests of a user that it had no right to."""
    assert cluster.audit_log is not None
    lines = cluster.audit_log.read_text().splitlines()
    entries = [json.loads(line) for line in lines if f'"{user}"' in line]
    assert entries
    return [
        f"{one['verb']} {one['requestURI']}"
        for one in entries
        if one["annotations"].get("authorization.k8s.io/decision") != "allow"
    ]
