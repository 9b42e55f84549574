"""A field that has no effect here is said to have none."""

from pathlib import Path
from typing import Any

import pytest

from lsb_backend.serve.unheeded import unheeded
from lsb_crds.backend import BackendSpec


def lines(**fields: Any) -> list[str]:
    studio = {"url": "http://localhost:8080", **fields.pop("labelStudio", {})}
    return list(unheeded(BackendSpec.model_validate({"labelStudio": studio, **fields})))


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"training": {"triggers": {"schedule": "0 2 * * *"}}}, "training.triggers.schedule"),
        ({"labelStudio": {"caBundle": {"name": "ca", "key": "ca.crt"}}}, "labelStudio.caBundle"),
        ({"labelStudio": {"media": {"claimName": "ls-data"}}}, "labelStudio.media.claimName"),
        ({"labelStudio": {"media": {"path": "/nowhere"}}}, "labelStudio.media.path: /nowhere"),
    ],
)
def test_what_has_no_effect_is_named(fields: dict[str, Any], named: str) -> None:
    (line,) = lines(**fields)
    assert line.startswith(named)


def test_what_has_an_effect_is_not(tmp_path: Path) -> None:
    assert lines(labelStudio={"media": {"path": str(tmp_path)}}, training={"epochs": 3}) == []
