"""What null in a manifest becomes."""

from typing import Any

import pytest

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.metrics import exists
from lsb_crds.resolve import resolve

GPU = {"resources": {"limits": {"nvidia.com/gpu": 1}}}
TASKS = ["detect", "segment", "obb", "classify", "pose", "dummy"]


def backend(namespace: str | None = None, **spec: Any) -> LabelStudioBackend:
    label_studio = {"url": "http://studio", **spec.pop("labelStudio", {})}
    return LabelStudioBackend.model_validate(
        {
            "metadata": {"name": "cats", "namespace": namespace},
            "spec": {"labelStudio": label_studio, **spec},
        }
    )


@pytest.mark.parametrize(
    ("task", "weights", "metric"),
    [
        ("detect", "yolo11n.pt", "metrics/mAP50-95(B)"),
        ("segment", "yolo11n-seg.pt", "metrics/mAP50-95(M)"),
        ("obb", "yolo11n-obb.pt", "metrics/mAP50-95(B)"),
        ("classify", "yolo11n-cls.pt", "metrics/accuracy_top1"),
        ("pose", "yolo11n-pose.pt", "metrics/mAP50-95(P)"),
        ("dummy", "dummy", "fitness"),
    ],
)
def test_weights_and_metric_by_task(task: str, weights: str, metric: str) -> None:
    resolved = resolve(backend(model={"task": task}))
    assert (resolved.weights, resolved.metric) == (weights, metric)
    assert exists(metric, task)


@pytest.mark.parametrize(
    ("serving", "task", "runtime"),
    [
        ({}, "detect", "openvino"),
        (GPU, "detect", "torch"),
        ({"resources": {"limits": {"amd.com/gpu": "1"}}}, "detect", "torch"),
        ({"resources": {"limits": {"nvidia.com/mig-1g.5gb": 1}}}, "detect", "torch"),
        ({"resources": {"limits": {"nvidia.com/gpu": 0}}}, "detect", "openvino"),
        ({"resources": {"limits": {"example.org/fpga": 1}}}, "detect", "openvino"),
        ({**GPU, "runtime": "onnx"}, "segment", "onnx"),
        ({"runtime": "torch"}, "segment", "torch"),
        ({}, "dummy", "dummy"),
        ({"runtime": "torch"}, "dummy", "dummy"),
    ],
)
def test_runtime(serving: dict[str, Any], task: str, runtime: str) -> None:
    assert resolve(backend(serving=serving, model={"task": task})).runtime == runtime


@pytest.mark.parametrize(
    ("serving", "rollout"),
    [({}, "RollingUpdate"), (GPU, "InPlace"), ({**GPU, "rollout": "Recreate"}, "Recreate")],
)
def test_rollout(serving: dict[str, Any], rollout: str) -> None:
    assert resolve(backend(serving=serving)).rollout == rollout


def test_backend_url_is_the_service() -> None:
    assert resolve(backend()).backend_url == "http://cats.default.svc:9090"
    assert resolve(backend("team-a")).backend_url == "http://cats.team-a.svc:9090"


def test_ingress_does_not_change_the_backend_url() -> None:
    assert resolve(backend(ingress={"host": "ml.example.org"})).backend_url == "http://cats.default.svc:9090"


def test_images_by_runtime_and_release() -> None:
    plain = resolve(backend(), release="1.2.3", registry="registry.example.org")
    assert plain.serve_image == "registry.example.org/backend-serve:1.2.3"
    assert plain.train_image == "registry.example.org/backend-train:1.2.3"
    with_torch = resolve(backend(serving=GPU), release="1.2.3", registry="registry.example.org")
    assert with_torch.serve_image == "registry.example.org/backend-train:1.2.3"


def test_what_the_manifest_says_is_kept() -> None:
    resolved = resolve(
        backend(
            labelStudio={"backendURL": "http://192.0.2.1:9090"},
            model={"weights": "mine.pt"},
            serving={"image": "a/serve"},
            training={"image": "a/train", "gate": {"metric": "metrics/mAP50(B)"}},
            redis={"image": "a/redis"},
            prelabel={"rate": 0.5},
        )
    )
    assert resolved.model_dump() == {
        "weights": "mine.pt",
        "metric": "metrics/mAP50(B)",
        "runtime": "openvino",
        "rollout": "RollingUpdate",
        "backend_url": "http://192.0.2.1:9090",
        "serve_image": "a/serve",
        "train_image": "a/train",
        "redis_image": "a/redis",
        "prelabel_rate": 0.5,
    }
