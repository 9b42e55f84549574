"""The serving pods: what is in them, and what makes them other pods."""

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolved import Resolved
from lsb_operator import names
from lsb_operator.children import pod, volumes
from lsb_operator.children.config import start_digest
from lsb_operator.children.ingress import root_path
from lsb_operator.children.ports import METRICS_PORT, SERVE_PORT
from lsb_operator.children.secrets import REDIS_URL_KEY
from lsb_operator.children.volumes import Mounted
from lsb_operator.children.weights import claim, company, one_node
from lsb_operator.facts import Facts, Manifest

# Label Studio waits 100 s for predictions, and a request that keeps its connection alive may take longer.
GRACE_SECONDS = 300
# Until every node has heard that the pod is no longer to be called.
DEREGISTRATION_SECONDS = 5


def template(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Manifest:
    """The pod template of the Deployment."""
    annotations = {names.CONFIG: start_digest(backend, resolved)}
    if stamps_version(resolved) and facts.target is not None:
        annotations[names.VERSION] = facts.target
    beside = company(backend)
    labels = names.labels(backend.metadata.name, "serve") | beside
    return {
        "metadata": {"labels": labels, "annotations": annotations},
        "spec": _pod(backend, resolved, beside if one_node(backend, facts) else None),
    }


def stamps_version(resolved: Resolved) -> bool:
    """Whether a new version arrives with new pods; else the pods that run follow the target."""
    return resolved.rollout != "InPlace"


def asks_for_trainings(backend: LabelStudioBackend) -> bool:
    """Whether serving pods may ask the API server for a training."""
    triggers = backend.spec.training.triggers
    return backend.spec.model.task != "dummy" and (triggers.button or triggers.annotations > 0)


def _pod(backend: LabelStudioBackend, resolved: Resolved, beside: dict[str, str] | None) -> Manifest:
    mounted = _mounted(backend, resolved)
    pod_volumes, mounts = volumes.fields(mounted)
    return {
        "serviceAccountName": names.serve_account(backend.metadata.name),
        "automountServiceAccountToken": asks_for_trainings(backend),
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": pod.pod_security(),
        "containers": [_container(backend, resolved, mounts)],
        "volumes": pod_volumes,
        **pod.placing(backend.spec.serving, beside),
    }


def _container(backend: LabelStudioBackend, resolved: Resolved, mounts: list[Manifest]) -> Manifest:
    return {
        "name": "serve",
        "image": resolved.serve_image,
        "command": ["lsb", "serve", *_arguments(backend)],
        "env": pod.environment(backend.spec.serving.env, pod.surroundings(backend)),
        "ports": [_port("http", SERVE_PORT), _port("metrics", METRICS_PORT)],
        "resources": pod.resources(backend.spec.serving.resources),
        "securityContext": pod.container_security(),
        "volumeMounts": mounts,
        "lifecycle": {"preStop": {"sleep": {"seconds": DEREGISTRATION_SECONDS}}},
        **_probes(),
    }


def _arguments(backend: LabelStudioBackend) -> list[str]:
    spec = backend.spec
    options = {
        "-f": volumes.MANIFEST_FILE,
        "--store": volumes.STORE,
        "--host": "0.0.0.0",  # noqa: S104  The kubelet and the Service call the pod's own address.
        "--port": str(SERVE_PORT),
        "--metrics-port": str(METRICS_PORT),
        "--version-file": volumes.VERSION_FILE,
        "--decisions-file": volumes.DECISIONS_FILE,
        "--token-file": volumes.TOKEN_FILE if spec.label_studio.token_secret_ref else None,
        "--basic-auth-file": volumes.BASIC_AUTH_FILE,
        "--redis-url-file": volumes.REDIS_URL_FILE if spec.redis.mode != "None" else None,
        "--root-path": root_path(backend) or None,
    }
    return [word for option, value in options.items() if value is not None for word in (option, value)]


def _mounted(backend: LabelStudioBackend, resolved: Resolved) -> list[Mounted]:
    version = volumes.stamped_version() if stamps_version(resolved) else volumes.followed_version(backend)
    return [
        volumes.configuration(backend, version, volumes.followed_decisions(backend)),
        volumes.weights(claim(backend)),
        volumes.temporary(),
        volumes.shared_memory(backend.spec.serving.shared_memory),
        volumes.basic_auth(backend),
        *volumes.label_studio(backend.spec.label_studio),
        *_redis_url(backend),
    ]


def _redis_url(backend: LabelStudioBackend) -> list[Mounted]:
    redis = backend.spec.redis
    if redis.url_secret_ref is not None:
        return [volumes.redis_url(redis.url_secret_ref.name, redis.url_secret_ref.key)]
    if redis.mode == "Managed":
        return [volumes.redis_url(names.redis(backend.metadata.name), REDIS_URL_KEY)]
    return []


def _port(name: str, number: int) -> Manifest:
    return {"name": name, "containerPort": number, "protocol": "TCP"}


def _probes() -> Manifest:
    """Probes on the open endpoints of port 9090; importing a runtime may take minutes on a slow disk."""
    live, ready = ({"httpGet": {"path": path, "port": "http"}} for path in ("/livez", "/readyz"))
    return {
        "startupProbe": live | {"periodSeconds": 2, "timeoutSeconds": 5, "failureThreshold": 150},
        "livenessProbe": live | {"periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6},
        "readinessProbe": ready | {"periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 2},
    }
