"""Logs as they come through a real API server, from a kubelet that the test plays."""

import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cluster import Cluster

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., "subprocess.Popen[str]"]


class Kubelet:
    """A node's answers to questions for logs; `more` lets those who follow have the last line."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.port = server.server_address[1]
        self.more = threading.Event()
        self.node = f"node-{self.port}"


@pytest.fixture
def kubelet(cluster: Cluster, tmp_path: Path) -> Iterator[Kubelet]:
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *files], check=True, capture_output=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    played = Kubelet(server)
    server.played = played  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": played.node}}
    cluster.kubectl("create", "--filename=-", input=json.dumps(node))
    endpoint = {"kubeletEndpoint": {"Port": played.port}}
    addresses = [{"type": "InternalIP", "address": "127.0.0.1"}]
    status = json.dumps({"status": {"addresses": addresses, "daemonEndpoints": endpoint}})
    cluster.kubectl("patch", "node", played.node, "--subresource=status", f"--patch={status}")
    yield played
    played.more.set()
    cluster.kubectl("delete", "node", played.node)
    server.shutdown()
    server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """/containerLogs/NAMESPACE/POD/CONTAINER"""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        _, _, _, pod, container = address.path.split("/")
        query = parse_qs(address.query)
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        lines = [f"{pod} {container} one", f"{pod} {container} zwei ü"]
        lines = lines[-int(query["tailLines"][0]) :] if "tailLines" in query else lines
        self._write("".join(f"{line}\n" for line in lines))
        if "follow" in query:
            played: Kubelet = self.server.played  # type: ignore[attr-defined]
            played.more.wait()
            self._write(f"{pod} last")

    def _write(self, text: str) -> None:
        self.wfile.write(text.encode())
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def pod(studio: Any, name: str, labels: dict[str, str], node: str | None, *containers: str) -> None:
    """A pod that was put on a node, as the operator's children and jobs label theirs."""
    about = {"name": name, "namespace": studio.namespace, "labels": labels}
    spec = {"nodeName": node, "containers": [{"name": one, "image": "x"} for one in containers]}
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": spec}
    studio.api.create(f"/api/v1/namespaces/{studio.namespace}/pods", manifest)


SERVING = {"lsbackends.dev/backend": "cats", "app.kubernetes.io/component": "serve"}


def test_of_one_pod_the_lines_are_as_they_are(studio: Any, kubelet: Kubelet, lsb: Run) -> None:
    studio.create()
    pod(studio, "cats-a", SERVING, kubelet.node, "mesh-proxy", "serve")
    done = lsb("logs", "cats")
    assert (done.stdout, done.stderr) == ("cats-a serve one\ncats-a serve zwei ü\n", "")
    assert lsb("logs", "cats", "--tail", "1").stdout == "cats-a serve zwei ü\n"


def test_of_several_pods_each_line_says_whose_it_is(studio: Any, kubelet: Kubelet, lsb: Run) -> None:
    studio.create()
    for name in ("cats-a", "cats-b"):
        pod(studio, name, SERVING, kubelet.node, "serve")
    assert lsb("logs", "cats", "--tail", "1").stdout.splitlines() == [
        "[cats-a] cats-a serve zwei ü",
        "[cats-b] cats-b serve zwei ü",
    ]


def test_followed_they_come_as_they_are_printed(studio: Any, kubelet: Kubelet, start: Start) -> None:
    studio.create()
    for name in ("cats-a", "cats-b"):
        pod(studio, name, SERVING, kubelet.node, "serve")
    process = start("logs", "cats", "--follow", "--tail", "1")
    assert process.stdout is not None
    first = {process.stdout.readline(), process.stdout.readline()}
    assert first == {"[cats-a] cats-a serve zwei ü\n", "[cats-b] cats-b serve zwei ü\n"}
    kubelet.more.set()
    rest, errors = process.communicate()
    assert sorted(rest.splitlines()) == ["[cats-a] cats-a last", "[cats-b] cats-b last"]
    assert (process.returncode, errors) == (0, "")


def test_of_the_training_at_hand(studio: Any, kubelet: Kubelet, lsb: Run) -> None:
    studio.create()
    studio.report("cats", {"training": {"name": "t", "phase": "Running"}})
    assert "Training t of cats has no pod yet" in lsb("logs", "cats", "--training").stderr
    pod(studio, "t-train-x", {"lsbackends.dev/training": "t"}, kubelet.node, "lsb")
    assert lsb("logs", "cats", "--training", "--tail", "1").stdout == "t-train-x lsb zwei ü\n"


def test_of_the_last_training_whose_pod_is_there(studio: Any, kubelet: Kubelet, lsb: Run) -> None:
    studio.create()
    lines = [{"name": "gone", "phase": "Failed"}, {"name": "t", "phase": "Succeeded"}]
    studio.report("cats", {"lastTrainings": lines})
    assert "keeps its log for a day" in lsb("logs", "cats", "--training").stderr
    pod(studio, "t-train-x", {"lsbackends.dev/training": "t"}, kubelet.node, "lsb")
    assert "t-train-x" in lsb("logs", "cats", "--training").stdout


def test_without_a_pod_it_says_why_there_is_none(studio: Any, lsb: Run) -> None:
    studio.create()
    since = {"lastTransitionTime": "2026-01-31T12:00:00Z"}
    ready = {
        "type": "Ready",
        "status": "False",
        "reason": "Preparing",
        "message": "The first version is made.",
    }
    studio.report("cats", {"conditions": [ready | since]})
    done = lsb("logs", "cats")
    assert done.returncode == 1
    assert done.stderr == "error: cats has no serving pod: The first version is made.\n"


def test_a_pod_that_has_no_node_is_one_line(studio: Any, lsb: Run) -> None:
    studio.create()
    pod(studio, "cats-a", SERVING, None, "serve")
    done = lsb("logs", "cats")
    assert done.returncode == 1
    assert "Pod cats-a waits for a node" in done.stderr
    assert done.stderr.count("\n") == 1
