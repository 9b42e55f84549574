"""A real Kubernetes API on this machine, for development and for the tests: `make cluster`."""

from cluster.cluster import Cluster
from cluster.errors import ClusterError, KubectlError
from cluster.extended_resources import Node

__all__ = ["Cluster", "ClusterError", "KubectlError", "Node"]
