"""With network policies on, what must talk can and what must not cannot: the cluster enforces them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from chart.installing import SYSTEM
from chart.made import CHART
from cluster import Cluster
from helm import Helm
from installed import BACKEND, NAMESPACE, Installed, eventually
from node_pods import NO_RIGHTS, RESTRICTED, SLEEP, Pods, pod_spec

from .conftest import Project

pytestmark = pytest.mark.node
REACH = """
import socket
try:
    socket.create_connection(({host!r}, {port}), timeout=10)
    print("reached")
except OSError as error:
    print(type(error).__name__)
"""
LABEL_STUDIO = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "label-studio"}}}
CALLER = {"podSelector": {"matchLabels": {"app": "caller"}}}


def reaches(pods: Pods, name: str, host: str, port: int) -> bool:
    """Whether a pod opens a connection."""
    return pods.python(name, REACH.format(host=host, port=port)) == "reached"


@pytest.fixture(scope="module")
def inside(installed: Installed) -> Iterator[Pods]:
    """The backend's namespace, with a pod `stranger` that no policy names."""
    pods = Pods(installed.cluster, NAMESPACE)
    strict = {"securityContext": NO_RIGHTS}
    pods.start("stranger", pod_spec(SLEEP, container=strict, securityContext=RESTRICTED))
    yield pods
    pods.kubectl("delete", "pod", "stranger")


@pytest.fixture(scope="module")
def outside(cluster: Cluster) -> Iterator[Pods]:
    """Another namespace, with a pod `neighbour`."""
    cluster.kubectl("create", "namespace", "elsewhere")
    pods = Pods(cluster, "elsewhere")
    pods.start("neighbour", pod_spec(SLEEP))
    yield pods
    cluster.kubectl("delete", "namespace", "elsewhere")


def _one(pods: list[Any]) -> tuple[str, str]:
    """Name and address of the only pod."""
    (pod,) = pods
    return pod["metadata"]["name"], pod["status"]["podIP"]


def test_a_backend_behind_policies_is_open_to_whom_they_name_alone(
    installed: Installed, project: Project, inside: Pods, outside: Pods
) -> None:
    installed.apply_backend(
        networkPolicy={"enabled": True, "from": [LABEL_STUDIO, CALLER]}, training={"epochs": 3}
    )
    installed.until_ready()
    serve, address = _one(installed.pods("serve"))
    service, redis = f"{BACKEND}.{NAMESPACE}.svc", f"{BACKEND}-redis.{NAMESPACE}.svc"
    eventually(lambda: not reaches(inside, "stranger", service, 9090), "strangers are kept out")
    assert not reaches(outside, "neighbour", service, 9090)
    # Metrics are for the own namespace and for monitoring, Redis for the backend's own pods.
    assert reaches(inside, "stranger", address, 9091)
    assert not reaches(outside, "neighbour", address, 9091)
    assert reaches(inside, serve, redis, 6379)
    assert not reaches(inside, "stranger", redis, 6379)
    assert not reaches(outside, "neighbour", redis, 6379)
    # It asks its own Service which version answers there.
    assert reaches(inside, serve, service, 9090)
    before = set(installed.trainings())
    with installed.called(project.bodies(1)) as calls:
        # Label Studio reaches the backend, that the API server; the training's pod reaches both of them.
        (record,) = project.admin.backends(project.number)
        project.annotate(1)
        project.admin.start_training(record["id"])
        new = eventually(lambda: set(installed.trainings()) - before, "the button asks for a training")
        ended = installed.until_trained(new.pop())
        installed.until_ready()
    assert ended["status"]["phase"] in ("Succeeded", "Rejected"), ended["status"]
    assert calls.failed == []
    assert len(calls.answers) > 5


def test_the_operator_behind_its_policy_does_its_work_and_reaches_nothing_else(
    installed: Installed, cluster: Cluster, helm: Helm, inside: Pods, outside: Pods
) -> None:
    endpoints = json.loads(
        cluster.kubectl("get", "endpointslice", "kubernetes", "-ndefault", "--output=json")
    )
    neighbours = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "elsewhere"}}}
    policy = {
        "enabled": True,
        "apiServerPorts": [endpoints["ports"][0]["port"]],
        "metricsFrom": [neighbours],
    }
    where = (f"--namespace={SYSTEM}", f"--set-json=networkPolicy={json.dumps(policy)}")
    helm.run("upgrade", "lsbackends", CHART, *where, "--wait", "--timeout=10m")
    system = Pods(cluster, SYSTEM)
    name, address = _one(
        [
            one
            for one in system.get("pods", "--field-selector=status.phase=Running")["items"]
            if "deletionTimestamp" not in one["metadata"]
        ]
    )
    studio = f"label-studio.{NAMESPACE}.svc"
    eventually(lambda: not reaches(system, name, studio, 8080), "it is kept from Label Studio")
    _, serving = _one(installed.pods("serve"))
    assert reaches(system, name, serving, 9091)
    assert not reaches(system, name, serving, 9090)
    assert reaches(outside, "neighbour", address, 8080)
    assert not reaches(inside, "stranger", address, 8080)
    installed.apply_backend(networkPolicy={"enabled": True, "from": [LABEL_STUDIO, CALLER]})
    installed.until_ready("it still brings the cluster to what the spec says")
    assert installed.get("networkpolicy", BACKEND)["spec"]["podSelector"]
