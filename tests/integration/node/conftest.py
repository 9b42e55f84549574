"""A cluster with a node on this machine: real containers, volumes, addresses. `make test-node` runs these."""

import os
from collections.abc import Iterator

import pytest
from cluster import Cluster, Node
from node_pods import Pods


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The cluster, shared by all of them: each works in a namespace of its own."""
    with Cluster.start(f"node-{os.getpid()}", node=Node(gpus=1)) as started:
        yield started


@pytest.fixture
def pods(cluster: Cluster, namespace: str) -> Pods:
    """What one test does with pods."""
    return Pods(cluster, namespace)
