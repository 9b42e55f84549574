"""The order of versions: `<sequence>-<digest>`, counted by the store that they are in."""

from collections.abc import Iterable
from typing import get_args

from pydantic_core import PydanticCustomError

from lsb_crds.text import ModelVersion


def sequence(version: str | None) -> int:
    """The number of a version; -1 for none, and for what is no version."""
    return int(version.partition("-")[0]) if version is not None and is_version(version) else -1


def is_version(text: str) -> bool:
    """Whether a text has the form of a version."""
    form = get_args(ModelVersion)[1]
    try:
        form.check(text)
    except PydanticCustomError:
        return False
    return True


def newest(versions: Iterable[str]) -> str | None:
    """The version made last."""
    return max(versions, key=sequence, default=None)
