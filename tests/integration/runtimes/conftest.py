"""Networks trained once for all tests of the runtimes."""

from collections.abc import Callable
from pathlib import Path

import pytest
import small_networks
from demo.pictures import photographs
from small_networks import TRAINED_SIZE, Picture, Reference

from lsb_backend.runtime.export import export_onnx


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Weights by task."""
    return small_networks.train(tmp_path_factory.mktemp("trained"), photographs())


@pytest.fixture(scope="session")
def pictures() -> list[Picture]:
    return small_networks.mixed_sizes(photographs())


@pytest.fixture(scope="session")
def versions(weights: dict[str, Path]) -> dict[str, Path]:
    """Folders by task with `weights.pt` and `model.onnx`, as the store keeps them."""
    for path in weights.values():
        export_onnx(path, path.parent / "model.onnx", TRAINED_SIZE)
    return {task: path.parent for task, path in weights.items()}


@pytest.fixture(scope="session")
def reference(weights: dict[str, Path], pictures: list[Picture]) -> Callable[[str], Reference]:
    made: dict[str, Reference] = {}

    def of(task: str) -> Reference:
        return made.setdefault(task, Reference(weights[task], pictures))

    return of
