"""The chart in a cluster of its own, where definitions come and go. It has no node: nothing runs as a pod."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart.installing import DEFINITIONS, OPERATOR, SYSTEM, names, older_chart, release_all
from cluster import Cluster, ClusterError
from cluster.progress import Progress
from helm import Helm, find_helm
from operating import Running


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build Helm, if it must be built, before the clock of the first test runs."""
    needed = any("helm" in getattr(item, "fixturenames", ()) for item in session.items)
    if needed and not session.config.option.collectonly:
        manager: Any = session.config.pluginmanager.getplugin("capturemanager")
        with manager.global_and_fixture_disabled():
            try:
                find_helm(Progress())
            except ClusterError as error:
                raise pytest.UsageError(str(error)) from None


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A Kubernetes API that knows nothing of lsbackends."""
    with Cluster.start(f"chart-{os.getpid()}") as started:
        yield started


@pytest.fixture(scope="session")
def renderer(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Helm without a cluster."""
    return Helm(find_helm(Progress()), tmp_path_factory.mktemp("helm"))


@pytest.fixture
def helm(cluster: Cluster, tmp_path: Path) -> Iterator[Helm]:
    """Helm before the cluster, which is as empty after the test as it was before."""
    helm = Helm(find_helm(Progress()), tmp_path / "helm", cluster.kubeconfig)
    before = set(names(cluster, "namespaces"))
    yield helm
    for one in yaml.safe_load(helm.run("list", "--all-namespaces", "--output=yaml")):
        helm.run("uninstall", one["name"], f"--namespace={one['namespace']}", "--no-hooks")
    for name in DEFINITIONS:
        release_all(cluster, name)
        cluster.kubectl("delete", "crd", name, "--ignore-not-found", "--timeout=60s")
    for name in set(names(cluster, "namespaces")) - before - {SYSTEM}:
        cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """The chart of a release before this one."""
    return older_chart(tmp_path / "older")


@pytest.fixture
def start(cluster: Cluster, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Run the container of a workload as a process here, with the token of the workload's ServiceAccount."""
    started: list[Running] = []

    def run(kind: str, name: str, *more: str, namespace: str = SYSTEM) -> Running:
        found = yaml.safe_load(cluster.kubectl("get", kind, name, f"-n{namespace}", "--output=yaml"))
        pod = found["spec"]["template"]["spec"]
        [container] = pod["containers"]
        account = cluster.service_account_kubeconfig(namespace, pod["serviceAccountName"])
        assert container["command"][0] == "lsb"
        command = [sys.executable, "-m", "lsb_cli", *container["command"][1:], *container["args"], *more]
        variables = {one["name"]: one["value"] for one in container["env"] if one["name"] != "HOME"}
        log = tmp_path / f"{name}-{len(started)}.log"
        with log.open("w") as file:
            environment = os.environ | variables | {"KUBECONFIG": str(account)}
            process = subprocess.Popen(command, stderr=file, stdout=file, env=environment, text=True)
        started.append(Running(process, log))
        return started[-1]

    yield run
    for one in started:
        if one.process.poll() is None:
            one.kill()


@pytest.fixture
def start_operator(start: Callable[..., Running]) -> Callable[..., Running]:
    """Run the operator of a release, on a port that is free here."""

    def run(namespace: str = SYSTEM) -> Running:
        return start("deployment", OPERATOR, "--host=127.0.0.1", "--port=0", namespace=namespace).wait()

    return run
