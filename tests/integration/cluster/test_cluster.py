"""Clusters for development and tests: where they come from, side by side, and gone with what they started."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from cluster import Cluster, ClusterError, KubectlError
from cluster.api import Api
from cluster.cluster import sweep
from cluster.kubeconfig import token_user, write_kubeconfig
from cluster.processes import Processes
from identity import Identity
from patience import PATIENCE

DEV = Path(__file__).parents[3] / "dev"


@pytest.fixture
def name() -> str:
    """A name that no other cluster has."""
    return f"second-{os.getpid()}"


def test_two_at_once_have_nothing_in_common(cluster: Cluster, namespace: str, name: str) -> None:
    with Cluster.start(name) as second:
        assert namespace not in second.kubectl("get", "namespaces")
        folder, processes = second.folder, Processes(second.folder).running()
        assert len(processes) == 4
    assert cluster.ready()
    assert not folder.exists()
    assert not any(process.is_running() for process in processes.values())


def test_a_name_is_used_once(cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match="runs already"):
        Cluster.start(cluster.name)
    assert cluster.ready()


@pytest.mark.parametrize("bad", ["../etc", "Cats", "", "a" * 41])
def test_a_name_that_leads_elsewhere_is_refused(bad: str) -> None:
    with pytest.raises(ClusterError, match="--name"):
        Cluster.find(bad)


def test_what_a_killed_process_left_is_ended_by_the_next(cluster: Cluster, name: str) -> None:
    program = f"from cluster import Cluster; Cluster.start({name!r}); print(1, flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=DEV,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"1\n"
    left = Cluster.find(name)
    assert left is not None
    running = Processes(left.folder).running().values()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert left.ready()
    sweep()
    assert Cluster.find(name) is None
    assert psutil.wait_procs(running, PATIENCE)[1] == []
    assert cluster.ready()


def test_a_set_clock_ends_nothing(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    # Linux works the time of its boot out from the present clock, and from that when a process was started.
    booted = psutil.boot_time()
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: booted + 3600)
    sweep()
    assert cluster.ready()
    assert sorted(Processes(cluster.folder).running()) == sorted(Processes(cluster.folder).known())


def test_what_answers_slowly_is_not_ended_by_who_wants_its_name(cluster: Cluster) -> None:
    server = Processes(cluster.folder).running()["kube-apiserver"]
    server.suspend()
    try:
        with pytest.raises(ClusterError, match="runs already"):
            Cluster.start(cluster.name)
    finally:
        server.resume()
    assert cluster.ready()


def test_a_process_with_a_used_id_is_not_ended(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as stranger:
        earlier = Identity.of(os.getpid()).born
        (tmp_path / "processes.json").write_text(json.dumps({"etcd": [stranger.pid, earlier]}))
        assert Processes(tmp_path).running() == {}
        Processes(tmp_path).end()
        assert stranger.poll() is None
        stranger.kill()


def test_a_part_that_ends_is_told_with_the_end_of_its_log(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in ("etcd", "kube-apiserver", "kubectl"):
        (tmp_path / part).write_text("#!/bin/sh\necho the disk is full; exit 3\n")
        (tmp_path / part).chmod(0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    with pytest.raises(ClusterError, match=r"etcd ended.*\nthe disk is full"):
        Cluster.start(name)
    assert Cluster.find(name) is None


def test_a_given_kubeconfig_is_used_and_never_changed(
    cluster: Cluster, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "kubeconfig"
    given.write_bytes(cluster.kubeconfig.read_bytes())
    before = given.read_bytes(), given.stat().st_mtime_ns
    monkeypatch.setenv("LSB_KUBECONFIG", str(given))
    with Cluster.start(name) as same:
        assert same.source == "kubeconfig"
        identity = ["get", "namespace", "kube-system", "--output=jsonpath={.metadata.uid}"]
        assert same.kubectl(*identity) == cluster.kubectl(*identity)
    assert (given.read_bytes(), given.stat().st_mtime_ns) == before
    assert cluster.ready()


def test_a_kubeconfig_that_leads_nowhere_is_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="no such kubeconfig"):
        Cluster.start(name, kubeconfig=tmp_path / "missing")
    dead = write_kubeconfig(tmp_path / "dead", {"server": "https://127.0.0.1:1"}, token_user("x"))
    with pytest.raises(KubectlError, match="refused"):
        Cluster.start(name, kubeconfig=dead)
    assert Cluster.find(name) is None


def test_binaries_of_kubebuilder_are_used(
    cluster: Cluster, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = Path(Processes(cluster.folder).running()["etcd"].cmdline()[0])
    for part in ("etcd", "kube-apiserver", "kubectl"):
        (tmp_path / part).symlink_to((command.parent / part).resolve())
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    with Cluster.start(name) as second:
        processes = Processes(second.folder).running()
        assert sorted(processes) == ["etcd", "kube-apiserver"]
        assert processes["etcd"].cmdline()[0] == str(tmp_path / "etcd")
    (tmp_path / "etcd").unlink()
    with pytest.raises(ClusterError, match="has no etcd"):
        Cluster.start(name)


def test_a_service_account_has_its_own_rights_and_no_others(cluster: Cluster, namespace: str) -> None:
    cluster.kubectl("create", "serviceaccount", "reader", f"--namespace={namespace}")
    role = ["--verb=list", "--resource=configmaps", f"--namespace={namespace}"]
    cluster.kubectl("create", "role", "reader", *role)
    account = f"--serviceaccount={namespace}:reader"
    cluster.kubectl("create", "rolebinding", "reader", "--role=reader", account, f"--namespace={namespace}")
    api = Api(cluster.service_account_kubeconfig(namespace, "reader"))
    assert api.get(f"/api/v1/namespaces/{namespace}/configmaps")["kind"] == "ConfigMapList"
    with pytest.raises(Exception, match="forbidden"):
        api.get(f"/api/v1/namespaces/{namespace}/secrets")


def test_audit_log_names_who_asked_for_what(cluster: Cluster, namespace: str) -> None:
    cluster.kubectl("create", "configmap", "seen", f"--namespace={namespace}")
    assert cluster.audit_log is not None
    entries = [json.loads(line) for line in cluster.audit_log.read_text().splitlines()]
    (entry,) = [
        it for it in entries if it.get("objectRef", {}).get("name") == "seen" and it["verb"] == "create"
    ]
    assert entry["user"]["username"] == "admin"
    assert entry["objectRef"]["resource"] == "configmaps"
    assert entry["responseStatus"]["code"] == 201


def test_controllers_and_scheduler_work(cluster: Cluster, namespace: str) -> None:
    here = f"--namespace={namespace}"
    cluster.kubectl("create", "deployment", "web", "--image=registry.example.org/serve:1", here)
    made = "--for=jsonpath={.status.unavailableReplicas}=1"
    cluster.kubectl("wait", made, "deployment/web", "--timeout=600s", here)
    refused = "--for=condition=PodScheduled=false"
    cluster.kubectl("wait", refused, "pod", "--selector=app=web", "--timeout=600s", here)
    pods = cluster.kubectl("get", "pods", "--output=yaml", here)
    assert "no nodes available to schedule pods" in pods
