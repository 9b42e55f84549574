"""What goes into a dataset and what came of it, as JSON."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class _Model(BaseModel):
    # A field of a later release must not make a run unreadable, and a frozen export must hold the very
    # coordinates that Label Studio sent, or its digests differ from those of the next export.
    model_config = ConfigDict(extra="ignore", frozen=True, ser_json_inf_nan="constants")


class ProjectExport(_Model):
    """A project with its annotated tasks, as Label Studio's JSON export gives them."""

    id: int
    label_config: str
    tasks: list[dict[str, Any]]


class Export(_Model):
    """All that a training learns from, frozen at its start."""

    projects: list[ProjectExport]


class SkippedTask(_Model):
    """A task that is not in the dataset although it was annotated."""

    task: str = Field(description="<project>:<task>")
    reason: str


class LeftOut(_Model):
    """Regions that were not learned from, for one reason."""

    reason: str
    regions: int
    tasks: list[str] = Field(description="some of the tasks they are in, as <project>:<task>")


class Manifest(_Model):
    """What a dataset holds."""

    task: str = Field(description="detect or segment")
    classes: list[str] = Field(description="by class index, in the order of the label configs")
    train: int = Field(description="images to learn from")
    validation: int = Field(description="images to judge by")
    train_regions: dict[str, int] = Field(description="regions to learn from, by class")
    validation_regions: dict[str, int] = Field(description="regions to judge by, by class")
    skipped: list[SkippedTask]
    left_out: list[LeftOut]
    digest: str = Field(description="SHA-256 over classes, label lines, images and parts")
