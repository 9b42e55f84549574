"""A store, and versions to put into it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lsb_backend.store.card import Card, CardDraft
from lsb_backend.store.store import Store

Add = Callable[[str], Card]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.fixture
def add(store: Store) -> Add:
    """Commits a version with the given weights, as the run of the same name."""

    def commit(weights: str) -> Card:
        with store.staging() as folder:
            (folder / "weights.pt").write_text(weights)
            (folder / "model.onnx").write_text(f"exported {weights}")
            return store.commit(folder, CardDraft(task="detect", classes=["cat"], run=weights, trained=True))

    return commit
