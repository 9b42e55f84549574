"""A cluster with a made-up node, in which whole lives of backends are led."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cluster import Cluster
from cluster.api import Api
from faults.keeper import Keeper
from faults.kubelet import Kubelet
from faults.life import offer_volume
from faults.network import pass_on
from faults.trial import Laboratory, Outcome
from operating import ACCOUNT, RBAC, SYSTEM, Studio

CRDS = Path(__file__).parents[3] / "crds"
SIDE_BY_SIDE = 4


def pytest_addoption(parser: pytest.Parser) -> None:
    """What `make chaos` asks for."""
    parser.addoption("--every-call", action="store_true", help="kill the operator at every one of its calls")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster of its own: pods run here, which those of other tests must not."""
    with Cluster.start(f"faults-{os.getpid()}") as started:
        definitions = [f"--filename={file}" for file in sorted(CRDS.glob("*.yaml"))]
        started.kubectl("apply", "--server-side", "--force-conflicts", *definitions)
        started.kubectl("wait", "--for=condition=Established", "--timeout=600s", *definitions)
        started.kubectl("apply", f"--filename={RBAC}")
        with Kubelet(Api(started.kubeconfig)):
            yield started


@pytest.fixture(scope="session")
def laboratory(cluster: Cluster) -> Laboratory:
    return Laboratory(cluster, cluster.service_account_kubeconfig(SYSTEM, ACCOUNT))


@pytest.fixture(scope="session")
def ordinary(laboratory: Laboratory) -> Outcome:
    """A life in which nothing goes wrong."""
    outcome = laboratory.lead(lambda keeper: pass_on)
    assert outcome.failure is None, outcome.failure
    return outcome


@pytest.fixture(scope="session")
def pool() -> Iterator[ThreadPoolExecutor]:
    """Leads a few lives at once: most of each is waiting."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        yield threads
        threads.shutdown(cancel_futures=True)


@pytest.fixture
def studio(laboratory: Laboratory, tmp_path: Path) -> Iterator[Studio]:
    """A namespace with an operator, and a volume for the backend `cats`."""
    made = laboratory.studio()
    offer_volume(made)
    with Keeper(made, laboratory.account, tmp_path / "operator.log"):
        yield made
