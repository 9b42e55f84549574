"""What was measured in a run, kept so that it is measured once."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from lsb_backend.store.atomic import read_or_none, write_atomic
from lsb_backend.store.card import DatasetSummary, Metrics

EVALUATION = "evaluation.json"


class Evaluation(BaseModel):
    """The contents of `evaluation.json`: all that is needed to write the card and to judge."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    metrics: Metrics
    served_version: str
    classes: list[str]
    arguments: dict[str, Any]
    dataset: DatasetSummary
    validation_images: int


def read_evaluation(run: Path) -> Evaluation | None:
    """The evaluation of a run; None if there is none yet."""
    data = read_or_none(run / EVALUATION)
    return None if data is None else Evaluation.model_validate_json(data)


def write_evaluation(run: Path, evaluation: Evaluation) -> None:
    """Mark the run as evaluated."""
    write_atomic(run / EVALUATION, evaluation.model_dump_json(indent=2).encode())
