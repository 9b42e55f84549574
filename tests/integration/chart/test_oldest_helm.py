"""The oldest Helm that the chart is for renders what the newest does; `make chart` builds it, once."""

from pathlib import Path

import pytest
import yaml
from chart.installing import RELEASE, SYSTEM
from chart.made import CHART
from cluster import Cluster
from cluster.progress import Progress
from helm import Helm, HelmError, find_oldest_helm

from .test_rendered import SETS, Values

pytestmark = pytest.mark.oldest_helm
# Without a cluster each Helm renders for the Kubernetes of its own day.
KUBERNETES = "--kube-version=v1.36.0"


@pytest.fixture(scope="session")
def program() -> Path:
    return find_oldest_helm(Progress())


@pytest.fixture
def oldest(program: Path, tmp_path: Path) -> Helm:
    return Helm(program, tmp_path / "oldest")


@pytest.mark.parametrize("values", SETS.values(), ids=SETS.keys())
def test_it_finds_no_fault_and_renders_the_same(
    oldest: Helm, renderer: Helm, tmp_path: Path, values: Values
) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    assert "0 chart(s) failed" in oldest.run("lint", "--strict", CHART, f"--values={file}", KUBERNETES)
    options = (f"--namespace={SYSTEM}", f"--values={file}", KUBERNETES)
    texts = [helm.run("template", RELEASE, CHART, *options) for helm in (oldest, renderer)]
    first, second = ([one for one in yaml.safe_load_all(text) if one] for text in texts)
    assert first == second


def test_it_refuses_what_cannot_be_meant(oldest: Helm) -> None:
    with pytest.raises(HelmError, match=r"(?s)schema.*replicas: Invalid type"):
        oldest.run("template", RELEASE, CHART, "--set=replicas=two", KUBERNETES)
    with pytest.raises(HelmError, match=r"requires kubeVersion: >=1\.31\.0-0 .* v1\.30\.4"):
        oldest.run("template", RELEASE, CHART, "--kube-version=1.30.4")


def test_it_installs_into_a_cluster(program: Path, helm: Helm, cluster: Cluster, tmp_path: Path) -> None:
    oldest = Helm(program, tmp_path / "oldest", cluster.kubeconfig)
    where = f"--namespace={SYSTEM}"
    oldest.run("install", RELEASE, CHART, where, "--create-namespace")
    oldest.run("upgrade", RELEASE, CHART, where, "--set=logLevel=DEBUG")
    oldest.run("rollback", RELEASE, "1", where)
    # The newer one goes on with what the older one has installed.
    helm.run("upgrade", RELEASE, CHART, where)
    assert "lsbackends-operator" in cluster.kubectl("get", "deployments", where, "--output=name")
