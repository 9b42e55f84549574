"""Stand-in GPUs: a node that says it has some, without a driver."""

from dataclasses import dataclass

from cluster.api import Api

GPU = "nvidia.com/gpu"


@dataclass(frozen=True)
class Node:
    """How a node is to be: `gpus` stand-ins are advertised.

    With `checkout` this project's images are stand-ins that run the checkout; else they have to be loaded.
    """

    gpus: int = 1
    checkout: bool = True


def advertise(api: Api, node: str, count: int) -> None:
    """Make the node offer `count` of them: Kubernetes takes the word of who may write a node's status."""
    status = api.get(f"/api/v1/nodes/{node}")["status"]
    if any(status.get(key, {}).get(GPU, "0") != str(count) for key in ("capacity", "allocatable")):
        patch = {"status": {"capacity": {GPU: str(count)}, "allocatable": {GPU: str(count)}}}
        api.patch(f"/api/v1/nodes/{node}/status", patch)
