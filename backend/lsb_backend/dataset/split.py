"""Which tasks are trained on and which only judge: decided once for each task, for good."""

import hashlib
import json
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from lsb_backend.store.atomic import read_or_none, write_atomic
from lsb_crds.errors import UserError


class Part(StrEnum):
    """The two parts of the data."""

    TRAIN = "train"
    VALIDATION = "validation"


_PARTS = TypeAdapter(dict[str, Part])


class Split:
    """Parts by task key (`<project>:<task>`), kept in one JSON file.

    A task that was once in validation is never trained on, whatever is added or changed later.
    """

    def __init__(self, path: Path, parts: dict[str, Part]) -> None:
        self._path = path
        self._parts = parts

    @classmethod
    def load(cls, path: Path) -> "Split":
        """Read the split; a file that is not there is an empty one.

        Raises UserError for an unreadable file: guessing would let validation data into training.
        """
        data = read_or_none(path)
        try:
            parts = {} if data is None else _PARTS.validate_json(data)
        except ValidationError as error:
            raise UserError(
                f"{path} is not a split of tasks ({error.error_count()} errors); restore it from a backup, "
                "or delete it to split anew, after which earlier versions' figures compare with no new ones."
            ) from None
        return cls(path, parts)

    def save(self) -> None:
        """Write the split in one rename. Raises OSError."""
        write_atomic(self._path, json.dumps(self._parts, indent=0, sort_keys=True).encode())

    def part(self, key: str) -> Part:
        """The part of a task. Raises KeyError for one that was never assigned."""
        return self._parts[key]

    def assign(self, keys: Iterable[str], fraction: float) -> None:
        """Give each new task a part, about `fraction` (0..1) of them validation, and see that some are."""
        keys = list(keys)
        new = {key: Part.VALIDATION if position(key) < fraction else Part.TRAIN for key in keys}
        self._parts = new | self._parts
        self.ensure_validation(keys)

    def ensure_validation(self, keys: Iterable[str]) -> bool:
        """If none of these tasks is in validation, move the one with the lowest hash there, for good.

        A lone task stays where it is. Returns whether one was moved. Raises KeyError for an unassigned one.
        """
        keys = list(keys)
        if len(keys) < 2 or any(self._parts[key] is Part.VALIDATION for key in keys):
            return False
        self._parts = self._parts | {min(keys, key=position): Part.VALIDATION}
        return True


def position(key: str) -> float:
    """Where a task stands in 0..1 by the hash of its key: the same on every machine and in every run."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) / 2**64
