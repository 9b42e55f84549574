"""The value that a task holds for a control's image."""

from collections.abc import Mapping
from typing import Any

from lsb_backend.labels.shorten import first_of, shortened
from lsb_crds.errors import UserError

KEYS_NAMED = 10
JSON_KINDS = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "an object"}


class TaskDataError(UserError):
    """A task without the image that the label config speaks of."""


def image_value(data: Mapping[str, Any], key: str) -> str:
    """The value of `$key` in a task's data; `a.b` is looked up as it is and then as b inside a.

    Raises TaskDataError if there is none, or if it is not a non-empty string.
    """
    found: object = data.get(key)
    if found is None:
        found = data
        for part in key.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str) and found.strip():
        return found
    raise TaskDataError(_why_not(data, shortened(key), found))


def _why_not(data: Mapping[str, Any], key: str, found: object) -> str:
    cure = "import the task again with that key, or change the label config"
    if found is None:
        has = ", ".join(first_of(sorted(data), KEYS_NAMED)) or "nothing"
        return f"the task's data has no image under {key!r} (it has: {has}); {cure}"
    kind = "an empty text" if isinstance(found, str) else JSON_KINDS.get(type(found), "something else")
    return f"the task's data has {kind} under {key!r}, and needs the image's address, a text; {cure}"
