"""A node leaves nothing behind, also if who started it was killed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
from cluster import Cluster
from cluster.cluster import sweep
from node_pods import Pods, pod_spec
from operating import eventually

pytestmark = pytest.mark.node
DEV = Path(__file__).parents[3] / "dev"
MARK = f"mark_{os.getpid()}"
SLEEP = f"import time; {MARK} = time.sleep(100000)"
POLICY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "one"},
    "spec": {"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]},
}
PROGRAM = """
from cluster import Cluster, Node
cluster = Cluster.start({name!r}, node=Node(checkout=False))
print(cluster.kubeconfig, flush=True)
input()
"""


def _left() -> dict[str, Any]:
    """What there is on the machine of a node."""
    listed = subprocess.run(
        ["nft", "--json", "list", "chains"], capture_output=True, text=True, check=True
    ).stdout
    chains = [it["chain"] for it in json.loads(listed)["nftables"] if "chain" in it]
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return {
        "chains": [it for it in chains if it["table"] in ("kube-proxy", "lsbackends")],
        "chains of others": [it["name"] for it in chains if it["name"].startswith(("CNI-", "KUBE-"))],
        "interfaces": [it.name for it in Path("/sys/class/net").glob("lsb-*")],
        "mounts": [it for it in mounts if "lsbackends" in it],
        "processes": [it.pid for it in psutil.process_iter() if _ours(it)],
        "groups": list(Path("/sys/fs/cgroup").glob("**/lsbackends")),
        "addresses": list(Path("/var/lib/cni/results").glob("lsbackends-*")),
        "sets of addresses": [it for it in _sets() if it.startswith("KUBE-")],
        "run": list(Path("/run").glob("lsbackends-node*")),
    }


def _sets() -> list[str]:
    return subprocess.run(
        ["ipset", "list", "-name"], capture_output=True, text=True, check=True
    ).stdout.split()


def _ours(process: psutil.Process) -> bool:
    try:
        command = " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False
    return MARK in command or "/run/lsbackends-node" in command


def _settings() -> list[str]:
    names = ("net/ipv4/ip_forward", "vm/overcommit_memory", "kernel/panic")
    return [Path("/proc/sys", name).read_text() for name in names]


def test_what_a_killed_process_left_of_a_node_is_ended_by_the_next() -> None:
    before = _settings()
    assert not any(_left().values())
    name = f"killed-{os.getpid()}"
    command = [sys.executable, "-c", PROGRAM.format(name=name)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=DEV, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline().endswith("kubeconfig\n")
        left = Cluster.find(name)
        assert left is not None
        pods = Pods(left, "default")
        ports = [{"containerPort": 8000, "hostPort": 31789, "hostIP": "127.0.0.1"}]
        volume = {"name": "shm", "emptyDir": {"medium": "Memory"}}
        container = {"ports": ports, "volumeMounts": [{"name": "shm", "mountPath": "/dev/shm"}]}
        pods.start("one", pod_spec(SLEEP, container=container, volumes=[volume]))
        pods.apply(POLICY)
        eventually(lambda: _left()["sets of addresses"], "the policy is enforced")
        # So the test would see each of them.
        assert all(_left().values())
        assert _settings() != before
        process.send_signal(signal.SIGKILL)
    sweep()
    assert Cluster.find(name) is None
    assert {what: left for what, left in _left().items() if left} == {}
    assert _settings() == before
