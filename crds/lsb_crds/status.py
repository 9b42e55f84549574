"""What the operator reports about a backend."""

from typing import Annotated, Literal

from pydantic import Field

from lsb_crds.conditions import Conditions
from lsb_crds.contract import Contract
from lsb_crds.lists import Distinct
from lsb_crds.resolved import Resolved
from lsb_crds.results import Figures, TrainingPhase, TrainingReason
from lsb_crds.text import ModelVersion, Timestamp

BackendPhase = Literal["Pending", "Preparing", "Ready", "RollingOut", "Degraded", "Suspended", "Stalled"]


class ModelStatus(Contract):
    """Which version is where."""

    version: ModelVersion | None = Field(default=None, description="Version that every ready pod serves.")
    target: ModelVersion | None = Field(default=None, description="Version that is to be served.")
    previous: ModelVersion | None = Field(default=None, description="Version to go back to.")
    metrics: Figures = Field(
        default_factory=dict, description="Metrics of `version` at its promotion, by name."
    )
    unmatched_labels: Annotated[list[str], Field(max_length=100)] = Field(
        default_factory=list,
        description="Labels of the projects that no class of the model has; at most 100.",
    )


class CurrentTraining(Contract):
    """The training that runs or waits."""

    name: str = Field(max_length=63, description="Name of the LabelStudioTraining.")
    phase: TrainingPhase = Field(description="Its phase.")
    progress: str | None = Field(
        default=None, max_length=64, description="How far it is, such as '12/100' epochs."
    )


class FinishedTraining(Contract):
    """One line of the history."""

    name: str = Field(max_length=63, description="Name of the LabelStudioTraining.")
    phase: TrainingPhase = Field(description="How it ended.")
    reason: TrainingReason | None = Field(default=None, description="What had asked for it.")
    version: ModelVersion | None = Field(default=None, description="The candidate. Null: there is none.")
    metric: str | None = Field(default=None, max_length=64, description="Metric that was compared.")
    candidate: float | None = Field(default=None, description="The candidate's figure.")
    served: float | None = Field(default=None, description="The served version's figure, on the same data.")
    finished_at: Timestamp | None = Field(default=None, description="When it ended.")


class BackendStatus(Contract):
    """A copy of what is true elsewhere: in the cluster, in the weights store, in Label Studio."""

    observed_generation: int | None = Field(
        default=None, ge=0, description="Generation of the spec that all of this is about; written last."
    )
    phase: BackendPhase | None = Field(
        default=None, description="The conditions in one word, for people. Programs read the conditions."
    )
    url: str | None = Field(default=None, max_length=2048, description="Where the backend is reached.")
    replicas: int | None = Field(default=None, ge=0, description="Number of serving pods.")
    selector: str | None = Field(
        default=None, max_length=1024, description="Label selector of the serving pods, for autoscalers."
    )
    resolved: Resolved | None = Field(default=None, description="What null in the spec became.")
    model: ModelStatus | None = Field(default=None, description="Which version is where.")
    training: CurrentTraining | None = Field(
        default=None, description="The training that runs or waits. Null: none."
    )
    last_trainings: Annotated[list[FinishedTraining], Distinct("name"), Field(max_length=10)] = Field(
        default_factory=list, description="Finished trainings, newest first; at most 10."
    )
    conditions: Conditions = Field(
        default_factory=list,
        description="Ready, Reconciling, Stalled, Registered, TrainingSucceeded, RolledBack, Suspended.",
    )
