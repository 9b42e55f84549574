"""What a version of the model is: the contents of `card.json`."""

import math
from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def _finite_only(figures: Any) -> Any:
    # A diverged training reports NaN; JSON has no word for it, and losing the version over it would be worse.
    if not isinstance(figures, dict):
        return figures
    return {
        name: value for name, value in figures.items() if not isinstance(value, float) or math.isfinite(value)
    }


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError("must be a file name inside the version's folder")
    return name


Figures = Annotated[dict[str, float], BeforeValidator(_finite_only)]
FileName = Annotated[str, AfterValidator(_inside)]


class _Model(BaseModel):
    # A field that a later release adds must not make this one lose the version.
    model_config = ConfigDict(extra="ignore", frozen=True)


class Metrics(_Model):
    """Validation figures by name (such as `metrics/mAP50-95(B)`), in 0..1."""

    weights: Figures = Field(default={}, description="weights.pt of this version")
    exported: Figures = Field(default={}, description="model.onnx of this version, the file that serves")
    served: Figures = Field(
        default={}, description="the version served meanwhile, on the same validation data"
    )


class SkippedTask(_Model):
    """A task that was left out of the dataset."""

    task: str = Field(description="<project>:<task>")
    reason: str


class DatasetSummary(_Model):
    """What a version was trained and judged on."""

    digest: str = Field(description="SHA-256 of the frozen export and split")
    counts: dict[str, int] = Field(
        default={}, description="images in `train` and `validation`, regions by class"
    )
    skipped: list[SkippedTask] = []


class CardDraft(_Model):
    """What a training knows about a version before the store has named it."""

    task: str = Field(description="what the model does: detect, segment, …")
    classes: list[str] = Field(description="class names by index")
    parent: str | None = Field(default=None, description="version the training started from")
    run: str | None = Field(default=None, description="name of the run; the same run gives one version only")
    trained: bool = Field(description="false for random weights, which predict nothing of use")
    metrics: Metrics = Metrics()
    dataset: DatasetSummary | None = None
    arguments: dict[str, Any] = Field(default={}, description="arguments of the training")
    libraries: dict[str, str] = Field(default={}, description="library versions by name")
    label_map: dict[str, str] = Field(default={}, description="label of the project by class name")
    log_tail: list[str] = Field(default=[], description="last lines of the training's log")
    plots: list[FileName] = Field(default=[], description="pictures, relative to the version's folder")


class Card(CardDraft):
    """A version in the store. Whether it serves is not its business but the promotion's."""

    format: Literal[1] = 1
    version: str = Field(pattern=r"^\d+-[0-9a-f]{8}$", description="<sequence>-<first 8 hex of sha256>")
    sequence: int = Field(ge=0, description="counts the versions of this store from 0")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of weights.pt")
    checksums: dict[FileName, str] = Field(default={}, description="SHA-256 of the model files by name")
    created_at: datetime


def card_schema() -> dict[str, Any]:
    """JSON schema of `card.json`."""
    return Card.model_json_schema()
