"""What a training tells of itself, in both resources alike."""

from typing import Annotated, Literal

from pydantic import Field

from lsb_crds.contract import Contract
from lsb_crds.text import ModelVersion

TrainingReason = Literal["Button", "Annotations", "Schedule", "Manual", "Prepare"]
TrainingPhase = Literal[
    "Pending",
    "Queued",
    "Running",
    "Evaluating",
    "AwaitingApproval",
    "Succeeded",
    "Rejected",
    "Failed",
    "Superseded",
]
Figures = Annotated[dict[str, float], Field(max_length=64)]


class Progress(Contract):
    """How far a training is."""

    epoch: int = Field(ge=0, description="Number of finished epochs.")
    epochs: int = Field(ge=0, description="Number of epochs at most.")
    metrics: Figures = Field(
        default_factory=dict, description="Metrics after that epoch, by ultralytics' names."
    )


class TrainingResult(Contract):
    """How a training ended, as the trainer says it."""

    outcome: Literal["Promoted", "Rejected", "AwaitingApproval", "Prepared", "Failed"] = Field(
        description="What the gate said; Prepared for a first version, Failed without a candidate."
    )
    version: ModelVersion | None = Field(default=None, description="The candidate. Null: there is none.")
    previous: ModelVersion | None = Field(default=None, description="The version it was compared with.")
    metric: str | None = Field(default=None, max_length=64, description="Metric that was compared.")
    candidate: float | None = Field(default=None, description="The candidate's figure.")
    served: float | None = Field(default=None, description="The served version's figure, on the same data.")
    message: str | None = Field(default=None, max_length=4096, description="The outcome in a sentence.")
