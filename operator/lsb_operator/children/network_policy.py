"""NetworkPolicies: who may connect to the serving pods, to Redis, and to the Jobs (nobody)."""

from typing import Any

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.network import NetworkPeer
from lsb_crds.resolved import Resolved
from lsb_operator import names
from lsb_operator.children.metadata import metadata
from lsb_operator.children.ports import METRICS_PORT, SERVE_PORT
from lsb_operator.children.secrets import REDIS_PORT
from lsb_operator.facts import Facts, Manifest

_JOBS = ("train", "prepare", "register", "unregister")


def serve_policy(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Manifest | None:
    """Port 9090 for whom the manifest names; metrics for the own namespace, the operator and monitoring."""
    if not backend.spec.network_policy.enabled:
        return None
    name = backend.metadata.name
    peers = [_peer(peer) for peer in backend.spec.network_policy.peers]
    if peers:
        # Before it refreshes predictions, a pod asks the Service which version answers there.
        peers.append({"podSelector": {"matchLabels": names.selector(name, "serve")}})
    ingress = [_rule(SERVE_PORT, peers), _rule(METRICS_PORT, _readers())]
    return _policy(backend, name, "serve", {"matchLabels": names.selector(name, "serve")}, ingress)


def job_policy(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Manifest | None:
    """Nobody connects to a Job's pod."""
    if not backend.spec.network_policy.enabled:
        return None
    name = backend.metadata.name
    components = {"key": names.COMPONENT, "operator": "In", "values": list(_JOBS)}
    selector = {"matchLabels": {names.BACKEND: name}, "matchExpressions": [components]}
    return _policy(backend, names.train_account(name), "train", selector, [])


def redis_policy(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Manifest | None:
    """Redis is for the pods of its own backend."""
    if not backend.spec.network_policy.enabled or backend.spec.redis.mode != "Managed":
        return None
    name = backend.metadata.name
    own = {"podSelector": {"matchLabels": {names.BACKEND: name}}}
    selector = {"matchLabels": names.selector(name, "redis")}
    return _policy(backend, names.redis(name), "redis", selector, [_rule(REDIS_PORT, [own])])


def _policy(
    backend: LabelStudioBackend,
    name: str,
    component: names.Component,
    pods: Manifest,
    ingress: list[Manifest],
) -> Manifest:
    spec: Manifest = {"podSelector": pods, "policyTypes": ["Ingress"]}
    # The API server drops an empty list, and would do so again at each apply.
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(backend, name, component),
        "spec": spec | ({"ingress": ingress} if ingress else {}),
    }


def _rule(port: int, peers: list[Manifest]) -> Manifest:
    rule: Manifest = {"ports": [{"port": port, "protocol": "TCP"}]}
    return rule | {"from": peers} if peers else rule


def _readers() -> list[Manifest]:
    operator = {names.PART_OF: names.APPLICATION, names.COMPONENT: "operator"}
    return [
        {"podSelector": {}},
        {"namespaceSelector": {}, "podSelector": {"matchLabels": operator}},
        {"namespaceSelector": {"matchLabels": {names.METRICS: "allowed"}}},
    ]


def _peer(peer: NetworkPeer) -> Manifest:
    dumped: dict[str, Any] = peer.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {kind: {key: value for key, value in part.items() if value} for kind, part in dumped.items()}
