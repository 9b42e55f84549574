"""A managed Redis: its claim, its Service and its one pod."""

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolved import Resolved
from lsb_operator import names
from lsb_operator.children import pod, volumes
from lsb_operator.children.metadata import metadata
from lsb_operator.children.secrets import REDIS_PORT, REDIS_USERS_KEY
from lsb_operator.children.volumes import Mounted
from lsb_operator.children.weights import KIND, grown
from lsb_operator.facts import Facts, Manifest

# Those of the user `redis` in Redis' own image.
_USER, _GROUP = 999, 1000
_USERS_FILE = "/etc/redis/users.acl"


def redis_claim(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Manifest | None:
    """The volume; losing it loses nothing, so it goes with the backend."""
    if backend.spec.redis.mode != "Managed":
        return None
    name = names.redis(backend.metadata.name)
    size = grown(backend.spec.redis.size, name, facts)
    spec: Manifest = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    if backend.spec.redis.storage_class_name is not None:
        spec["storageClassName"] = backend.spec.redis.storage_class_name
    return {"apiVersion": "v1", "kind": KIND, "metadata": metadata(backend, name, "redis"), "spec": spec}


def redis_service(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Manifest | None:
    """The Service that the URL in the Secret names."""
    if backend.spec.redis.mode != "Managed":
        return None
    name = names.redis(backend.metadata.name)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(backend, name, "redis"),
        "spec": {
            "type": "ClusterIP",
            "selector": names.selector(backend.metadata.name, "redis"),
            "ports": [{"name": "redis", "port": REDIS_PORT, "targetPort": "redis", "protocol": "TCP"}],
        },
    }


def redis_deployment(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Manifest | None:
    """The one pod; it stays while the backend is suspended, since it holds no GPU."""
    if backend.spec.redis.mode != "Managed":
        return None
    name = backend.metadata.name
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(backend, names.redis(name), "redis"),
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": names.selector(name, "redis")},
            # Two pods must not write to one volume.
            "strategy": {"type": "Recreate"},
            "template": {
                "metadata": {"labels": names.labels(name, "redis")},
                "spec": _pod(backend, resolved),
            },
        },
    }


def _pod(backend: LabelStudioBackend, resolved: Resolved) -> Manifest:
    pod_volumes, mounts = volumes.fields(_mounted(names.redis(backend.metadata.name)))
    probe = {"tcpSocket": {"port": "redis"}, "periodSeconds": 10, "timeoutSeconds": 5}
    container = {
        "name": "redis",
        "image": resolved.redis_image,
        "command": ["redis-server", "--aclfile", _USERS_FILE, "--appendonly", "yes", "--dir", "/data"],
        "ports": [{"name": "redis", "containerPort": REDIS_PORT, "protocol": "TCP"}],
        "resources": pod.resources(backend.spec.redis.resources),
        "securityContext": pod.container_security(),
        "volumeMounts": mounts,
        "livenessProbe": probe,
        "readinessProbe": probe,
    }
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod.pod_security(_USER, _GROUP),
        "containers": [container],
        "volumes": pod_volumes,
    }


def _mounted(name: str) -> list[Mounted]:
    data = {"name": "data", "persistentVolumeClaim": {"claimName": name}}
    return [
        Mounted(data, {"name": "data", "mountPath": "/data"}),
        volumes.secret_file("users", name, REDIS_USERS_KEY, _USERS_FILE),
        volumes.temporary(),
    ]
