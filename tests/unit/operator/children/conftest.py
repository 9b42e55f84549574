"""Backends and facts for the tests of the children, and the golden files they are compared with."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lsb_crds.backend import LabelStudioBackend
from lsb_operator.children.all import children
from lsb_operator.facts import Facts, Manifest

GOLDEN = Path(__file__).parents[1] / "golden"
VERSION = "3-0a1b2c3d"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder with a folder for each golden case."""
    return GOLDEN


@pytest.fixture(scope="session")
def backend_of() -> Callable[..., LabelStudioBackend]:
    """A live backend: the smallest spec with sections laid over it, and metadata by keyword."""

    def backend(spec: dict[str, Any] | None = None, **metadata: Any) -> LabelStudioBackend:
        smallest = {"labelStudio": {"url": "http://label-studio:8080"}}
        return LabelStudioBackend.model_validate(
            {
                "metadata": {"name": "cats", "namespace": "studio", "uid": "1", **metadata},
                "spec": {**smallest, **(spec or {})},
            }
        )

    return backend


@pytest.fixture(scope="session")
def facts_of() -> Callable[..., Facts]:
    """What is known of a backend in whose cluster nothing else is."""

    def facts(target: str | None = VERSION, **known: Any) -> Facts:
        return Facts(backend={"metadata": {"name": "cats"}}, now=NOW, target=target, **known)

    return facts


@pytest.fixture(scope="session")
def built(facts_of: Callable[..., Facts]) -> Callable[..., dict[tuple[str, str], Manifest]]:
    """The children of a backend by kind and name, made by release 1.0.0 unless another is given."""

    def build(
        backend: LabelStudioBackend, facts: Facts | None = None, release: str = "1.0.0"
    ) -> dict[tuple[str, str], Manifest]:
        manifests = children(backend, facts or facts_of(), release)
        return {(manifest["kind"], manifest["metadata"]["name"]): manifest for manifest in manifests}

    return build


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `case` once for each golden case."""
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", sorted(folder.name for folder in GOLDEN.iterdir() if folder.is_dir()))
