"""Services, names, host ports: as in any cluster, and no packet leaves the machine."""

import socket
import subprocess
import urllib.request

import pytest
from label_studio import free_port
from node_pods import PATIENCE, SLEEP, WEB, Pods, pod_spec
from operating import eventually

pytestmark = pytest.mark.node
FETCH = "import urllib.request; print(urllib.request.urlopen('http://{}/', timeout=60).read().decode())"
CONNECT = """
import socket
try:
    socket.create_connection(("{}", {}), timeout=60)
except OSError as error:
    print(type(error).__name__)
"""

REACH = """
import socket
try:
    socket.create_connection(("{}", {}), timeout=10)
    print("reached")
except OSError as error:
    print(type(error).__name__)
"""


def test_a_service_leads_to_each_of_its_pods_by_address_and_by_name(pods: Pods) -> None:
    pods.web()
    pods.start("client", pod_spec(SLEEP))
    names = {pod["metadata"]["name"] for pod in pods.get("pods", "--selector=app=web")["items"]}
    assert len(names) == 2
    address = pods.get("service", "web")["spec"]["clusterIP"]
    full = f"web.{pods.namespace}.svc.cluster.local"
    for host in (address, "web", f"web.{pods.namespace}", f"web.{pods.namespace}.svc", full):
        assert pods.python("client", FETCH.format(host)) in names
    seen: set[str] = set()
    eventually(
        lambda: seen.add(pods.python("client", FETCH.format(full))) or seen == names, "each pod is reached"
    )


def test_a_pod_reaches_itself_by_its_service(pods: Pods) -> None:
    pods.web(replicas=1)
    [pod] = pods.get("pods", "--selector=app=web")["items"]
    name = pod["metadata"]["name"]
    assert pods.python(name, FETCH.format("web")) == name


def test_a_service_without_ready_pods_refuses_at_once(pods: Pods) -> None:
    pods.web(replicas=1)
    pods.start("client", pod_spec(SLEEP))
    pods.kubectl("scale", "deployment/web", "--replicas=0")
    said = CONNECT.format("web", 80)
    eventually(lambda: pods.python("client", said) == "ConnectionRefusedError", "the Service refuses")


def test_a_host_port_is_on_loopback_and_ends_with_its_pod(pods: Pods) -> None:
    port = free_port()
    ports = [{"containerPort": 8000, "hostPort": port, "hostIP": "127.0.0.1"}]
    pods.start("web", pod_spec(WEB, container={"ports": ports}))

    def fetch() -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
            content: bytes = answer.read()
            return content

    def refused() -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) != 0

    eventually(lambda: not refused(), "the port is open")
    assert fetch() == b"web"
    pods.kubectl("delete", "pod", "web")
    eventually(refused, "the port is closed")


def test_a_port_is_forwarded_to_a_pod(pods: Pods) -> None:
    pods.web(replicas=1)
    command = [str(pods.cluster.kubectl_path), f"--kubeconfig={pods.cluster.kubeconfig}"]
    command += ["port-forward", f"--namespace={pods.namespace}", "service/web", ":80"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forward:
        try:
            assert forward.stdout is not None
            # "Forwarding from 127.0.0.1:PORT -> 8000"
            address = forward.stdout.readline().split()[2]
            with urllib.request.urlopen(f"http://{address}/", timeout=60) as answer:
                assert answer.read().startswith(b"web-")
        finally:
            forward.terminate()


def test_a_pod_asks_the_api_server_with_its_own_token(pods: Pods) -> None:
    script = """
import ssl, urllib.request, urllib.error
folder = "/var/run/secrets/kubernetes.io/serviceaccount/"
request = urllib.request.Request("https://kubernetes.default.svc/api/v1/nodes")
request.add_header("Authorization", "Bearer " + open(folder + "token").read())
try:
    urllib.request.urlopen(request, context=ssl.create_default_context(cafile=folder + "ca.crt"), timeout=60)
except urllib.error.HTTPError as error:
    print(error.read().decode())
"""
    pods.start("client", pod_spec(SLEEP))
    said = pods.python("client", script)
    assert f"system:serviceaccount:{pods.namespace}:default" in said
    assert "forbidden" in said


def test_nothing_leaves_the_machine(pods: Pods) -> None:
    pods.start("client", pod_spec(SLEEP))
    # An address that is reserved for documents: nobody answers there, so only our own wall can refuse.
    assert pods.python("client", CONNECT.format("198.51.100.1", 80)) == "ConnectionRefusedError"
    assert "gaierror" in pods.python("client", CONNECT.format("example.org", 80))


def _policy(pods: Pods, **spec: object) -> None:
    policy = {"podSelector": {"matchLabels": {"app": "web"}}, **spec}
    meta = {"name": next(iter(spec))}
    pods.apply(
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": policy}
    )


def test_a_policy_lets_in_whom_it_names_and_nobody_else(pods: Pods) -> None:
    pods.web(replicas=1)
    pods.start("guest", pod_spec(SLEEP), {"invited": "yes"})
    pods.start("stranger", pod_spec(SLEEP))
    reach = REACH.format("web", 80)
    assert pods.python("guest", reach) == pods.python("stranger", reach) == "reached"
    guests = {"from": [{"podSelector": {"matchLabels": {"invited": "yes"}}}], "ports": [{"port": 8000}]}
    _policy(pods, ingress=[guests], policyTypes=["Ingress"])
    eventually(lambda: pods.python("stranger", reach) != "reached", "the stranger is kept out")
    assert pods.python("guest", reach) == "reached"
    # The kubelet is let in: it asks whether the pod is ready.
    pods.kubectl("wait", "--for=condition=Ready", "pod", "--selector=app=web", PATIENCE)


def test_a_policy_keeps_a_pod_from_going_out(pods: Pods) -> None:
    pods.web(replicas=1)
    [pod] = pods.get("pods", "--selector=app=web")["items"]
    reach = REACH.format("10.96.0.1", 443)
    assert pods.python(pod["metadata"]["name"], reach) == "reached"
    _policy(pods, egress=[], policyTypes=["Egress"])
    eventually(lambda: pods.python(pod["metadata"]["name"], reach) != "reached", "it is kept in")
