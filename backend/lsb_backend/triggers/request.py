"""Asking for a training. Asked twice, it is one run."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, Field

from lsb_backend.store.atomic import sync_folder, write_atomic
from lsb_backend.store.space import full_disk_explained
from lsb_backend.store.store import Store
from lsb_crds.errors import UserError

# Bytes that the request needs at least, for the message when there is no room for it.
_SMALL_WRITE = 4096
_NAME = re.compile(r"^after-(\d+)$")
# In a cluster a run is called after its training, and a part of the training's uid.
_ANY_NAME = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")


class Reason(StrEnum):
    """Who asked."""

    BUTTON = "Button"
    ANNOTATIONS = "Annotations"
    MANUAL = "Manual"


class Request(BaseModel):
    """The contents of `request.json`."""

    reason: Reason
    asked_at: datetime = Field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Run:
    """One training: its folder in the store."""

    folder: Path

    @classmethod
    def named(cls, store: Store, name: str) -> "Run":
        """The run of that name; raises UserError for what is no run's name."""
        if not _ANY_NAME.match(name):
            raise UserError(
                f"{name} is not a run's name: at most 63 lower-case letters, digits and '-', as in after-0"
            )
        return cls(store.runs / name)

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def number(self) -> int:
        """Which run it is of those that are counted here."""
        return int(self.name.removeprefix("after-"))

    @property
    def finished(self) -> bool:
        return (self.folder / "result.json").exists()


def ask(store: Store, reason: Reason) -> Run:
    """The run that has not finished yet, or a new one, named after the trainings finished before it.

    Raises UserError where the store cannot be written; what may be there by then is the same run.
    """
    try:
        with full_disk_explained(store.root, _SMALL_WRITE):
            return _asked(store, reason)
    except OSError as error:
        reason_given = error.strerror or str(error)
        raise UserError(
            f"{store.root}: no training can be asked for ({reason_given}): make the store writable"
        ) from error


def _asked(store: Store, reason: Reason) -> Run:
    newest = _newest(store)
    if newest is not None and not newest.finished:
        return newest
    run = Run(store.runs / f"after-{newest.number + 1 if newest else 0}")
    try:
        # Making the folder is the claim: of two who ask at once, one finds it made.
        run.folder.mkdir()
    except FileExistsError:
        return run
    sync_folder(store.runs)
    write_atomic(run.folder / "request.json", Request(reason=reason).model_dump_json().encode())
    return run


def unfinished(store: Store) -> Run | None:
    """The run that was asked for and has no result."""
    newest = _newest(store)
    return newest if newest and not newest.finished else None


def _newest(store: Store) -> Run | None:
    runs = [Run(path) for path in store.runs.iterdir() if _NAME.match(path.name)]
    return max(runs, key=lambda run: run.number, default=None)
