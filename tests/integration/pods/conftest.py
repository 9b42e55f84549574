"""Backends whose pods are processes of this machine, with the rights that the operator lends to pods."""

import base64
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from cluster import Cluster
from cluster.api import Api
from operating import RBAC, Studio
from pods import Pods

SIDE = 64
NOWHERE = "http://127.0.0.1:9"


def spec(url: str = NOWHERE, **sections: Any) -> dict[str, Any]:
    """A backend that trains at 64 pixels, from random weights."""
    known = {
        "labelStudio": {
            "url": url,
            "backendURL": NOWHERE,
            "projects": [1],
            "tokenSecretRef": {"name": "label-studio"},
        },
        "model": {"task": "detect", "weights": "yolov8n.yaml", "imageSize": SIDE},
        "training": {"epochs": 2, "minimumAnnotations": 4, "arguments": {"batch": 4}},
        "prelabel": {"afterRollout": False},
    }
    return {key: {**known.get(key, {}), **sections.get(key, {})} for key in known.keys() | sections.keys()}


@pytest.fixture(scope="session")
def spec_of() -> Callable[..., dict[str, Any]]:
    return spec


@pytest.fixture(scope="session")
def rights(cluster: Cluster) -> None:
    """The ClusterRoles that the operator binds."""
    cluster.kubectl("apply", f"--filename={RBAC}")


@pytest.fixture
def studio(cluster: Cluster, namespace: str, rights: None) -> Studio:
    return Studio(cluster, namespace, Api(cluster.kubeconfig))


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a first version that detects."""
    from lsb_backend.store.store import Store
    from lsb_backend.training.prepare import prepare
    from lsb_backend.training.progress import JsonLines
    from lsb_crds.backend import LabelStudioBackend

    root = tmp_path_factory.mktemp("prepared") / "store"
    backend = LabelStudioBackend.model_validate({"metadata": {"name": "cats"}, "spec": spec()})
    with (root.parent / "said").open("w") as said:
        prepare(backend, Store.open(root), JsonLines(said))
    return root


@pytest.fixture
def empty(studio: Studio, tmp_path: Path) -> Iterator[Pods]:
    """Pods on an empty volume."""
    made = Pods(studio, tmp_path)
    yield made
    made.end()


@pytest.fixture
def pods(empty: Pods, prepared: Path) -> Pods:
    """Pods on a volume that has a first version."""
    shutil.copytree(prepared, empty.store)
    return empty


@pytest.fixture
def annotated(admin: Any) -> Iterator[Callable[[int], int]]:
    """Make a project of real tasks that are all annotated; its number."""
    made: list[int] = []

    def make(count: int) -> int:
        from_config = (
            '<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">'
            '<Label value="square"/></RectangleLabels></View>'
        )
        project = admin.create_project("squares", from_config)
        made.append(project)
        for task in admin.import_tasks(project, [{"image": picture(seed)} for seed in range(count)]):
            admin.annotate(task, [region()])
        return int(project)

    yield make
    for project in made:
        admin.delete_project(project)


def picture(seed: int) -> str:
    """A dark picture with a bright square, as an address that holds it."""
    image = np.random.default_rng(seed).integers(0, 60, (SIDE, SIDE, 3), dtype=np.uint8)
    image[16:48, 16:48] = (0, 40, 250)
    return f"data:image/png;base64,{base64.b64encode(bytes(cv2.imencode('.png', image)[1])).decode()}"


def region() -> dict[str, Any]:
    return {
        "id": "r",
        "from_name": "label",
        "to_name": "image",
        "type": "rectanglelabels",
        "original_width": SIDE,
        "original_height": SIDE,
        "image_rotation": 0,
        "value": {"x": 25, "y": 25, "width": 50, "height": 50, "rotation": 0, "rectanglelabels": ["square"]},
    }
