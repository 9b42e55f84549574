"""What null in a backend's spec becomes: one pure function for all who need to know."""

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.release import release as installed_release
from lsb_crds.resolved import Resolved, Rollout, Runtime

REGISTRY = "ghcr.io/lsbackends"
REDIS_IMAGE = "docker.io/library/redis:7.4-alpine"
SERVE_PORT = 9090

_WEIGHTS = {
    "detect": "yolo11n.pt",
    "segment": "yolo11n-seg.pt",
    "obb": "yolo11n-obb.pt",
    "classify": "yolo11n-cls.pt",
    "pose": "yolo11n-pose.pt",
    "dummy": "dummy",
}
_METRICS = {
    "detect": "metrics/mAP50-95(B)",
    "segment": "metrics/mAP50-95(M)",
    "obb": "metrics/mAP50-95(B)",
    "classify": "metrics/accuracy_top1",
    "pose": "metrics/mAP50-95(P)",
    "dummy": "fitness",
}


def resolve(backend: LabelStudioBackend, release: str | None = None, registry: str = REGISTRY) -> Resolved:
    """Make every choice that the manifest leaves open.

    `release` tags the images (None: the installed release), `registry` stands before their names.
    """
    spec = backend.spec
    tag = release or installed_release()
    runtime = _runtime(backend)
    train_image = spec.training.image or f"{registry}/backend-train:{tag}"
    # Only the training image has torch in it.
    serve_default = f"{registry}/backend-{'train' if runtime == 'torch' else 'serve'}:{tag}"
    return Resolved(
        weights=spec.model.weights or _WEIGHTS[spec.model.task],
        metric=spec.training.gate.metric or _METRICS[spec.model.task],
        runtime=runtime,
        rollout=_rollout(backend),
        backend_url=spec.label_studio.backend_url or _service_url(backend),
        serve_image=spec.serving.image or serve_default,
        train_image=train_image,
        redis_image=spec.redis.image or REDIS_IMAGE,
        prelabel_rate=spec.prelabel.rate or _prelabel_rate(backend),
    )


def _runtime(backend: LabelStudioBackend) -> Runtime:
    if backend.spec.model.task == "dummy":
        return "dummy"
    chosen = backend.spec.serving.runtime
    if chosen != "auto":
        return chosen
    return "torch" if backend.spec.serving.resources.asks_for_gpu() else "openvino"


def _rollout(backend: LabelStudioBackend) -> Rollout:
    chosen = backend.spec.serving.rollout
    if chosen != "Auto":
        return chosen
    # A lone GPU cannot hold an old and a new pod at once.
    return "InPlace" if backend.spec.serving.resources.asks_for_gpu() else "RollingUpdate"


def _service_url(backend: LabelStudioBackend) -> str:
    namespace = backend.metadata.namespace or "default"
    return f"http://{backend.metadata.name}.{namespace}.svc:{SERVE_PORT}"


def _prelabel_rate(backend: LabelStudioBackend) -> float:
    # Label Studio stores some 35 predictions a second, a CPU replica makes some 20: half is left for people.
    return 15.0 if backend.spec.serving.resources.asks_for_gpu() else 5.0
