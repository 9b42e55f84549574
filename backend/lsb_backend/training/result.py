"""How a run ended: the file that marks it as finished."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from lsb_backend.dataset.annotations import digests
from lsb_backend.dataset.manifest import Export
from lsb_backend.store.atomic import read_or_none, write_atomic
from lsb_backend.store.store import Store

RESULT = "result.json"


class Outcome(StrEnum):
    """What became of a run."""

    PROMOTED = "Promoted"
    REJECTED = "Rejected"
    AWAITING_APPROVAL = "AwaitingApproval"
    FAILED = "Failed"


class Result(BaseModel):
    """The contents of `result.json`: `version` was compared with `previous` by `metric`, in 0..1."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    outcome: Outcome
    message: str
    version: str | None = None
    previous: str | None = None
    metric: str | None = None
    candidate: float | None = None
    served: float | None = None
    finished_at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))


def read_result(run: Path) -> Result | None:
    """The result of a run; None while it is not finished."""
    data = read_or_none(run / RESULT)
    return None if data is None else Result.model_validate_json(data)


def write_result(run: Path, result: Result) -> None:
    """Finish a run. Written last of all: a run with a result is never looked at again."""
    write_atomic(run / RESULT, result.model_dump_json(indent=2).encode())


def write_learned(store: Store, export: Export) -> None:
    """Remember which annotations a finished run was given, whatever came of it.

    A run that failed would otherwise be started again and again by the same annotations.
    """
    learned = digests({project.id: project.tasks for project in export.projects})
    write_atomic(store.learned_file, json.dumps(learned, indent=0).encode())
