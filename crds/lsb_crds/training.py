"""LabelStudioTraining: one fine-tuning run, asked for by anybody, done once, kept as history."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, field_validator

from lsb_crds.conditions import Conditions
from lsb_crds.contract import API_VERSION, Contract
from lsb_crds.metadata import Metadata
from lsb_crds.results import Progress, TrainingPhase, TrainingReason, TrainingResult
from lsb_crds.rule import Rule, validations
from lsb_crds.text import ModelVersion, Timestamp, resource_name
from lsb_crds.training_spec import Arguments, check_arguments

SPEC_STAYS = Rule(
    cel="self == oldSelf",
    message="a training cannot be changed once it was asked for: ask for another one",
)


class TrainingMetadata(Metadata):
    """Metadata of a training; the longest automatic name is <backend>-after-99999."""

    name: Annotated[str, resource_name(52)] = Field(
        description="Name of the training: a DNS label of at most 52 characters; its Job is named after it."
    )


class TrainingSpec(Contract):
    """What was asked for. It cannot be changed."""

    model_config = ConfigDict(json_schema_extra=validations(SPEC_STAYS))

    backend: Annotated[str, resource_name(40)] = Field(
        description="Name of the LabelStudioBackend to train, in the same namespace."
    )
    reason: TrainingReason = Field(
        default="Manual",
        description="Who asks: Button (Label Studio's), Annotations (their count), Schedule, Manual (a "
        "person), Prepare (the first version).",
    )
    epochs: int | None = Field(
        default=None, ge=1, le=10_000, description="Passes over the data at most. Null: as in the backend."
    )
    arguments: Arguments = Field(
        default_factory=dict,
        description="Arguments for ultralytics' train, by its own names; they win over the backend's.",
    )
    force: bool = Field(
        default=False,
        description="Train although there are fewer annotations than minimumAnnotations, or none is new.",
    )

    _check_arguments = field_validator("arguments")(check_arguments)


class TrainingStatus(Contract):
    """How it goes. `progress` and `result` are written by the trainer, all else by the operator."""

    observed_generation: int | None = Field(
        default=None, ge=0, description="Generation of the spec that all of this is about; written last."
    )
    phase: TrainingPhase | None = Field(
        default=None,
        description="Pending (asked for), Queued (another one runs, or the Job is not admitted), Running, "
        "Evaluating, AwaitingApproval, Succeeded (promoted), Rejected (not better), Failed, "
        "Superseded (a later one covers it).",
    )
    job: str | None = Field(default=None, max_length=63, description="Name of the Job.")
    attempts: int | None = Field(
        default=None, ge=0, description="Number of times its Job was made; more than once if it was deleted."
    )
    promoted: ModelVersion | None = Field(
        default=None, description="Version that took over through this training. Null: none."
    )
    message: str | None = Field(default=None, max_length=4096, description="How it goes, in a sentence.")
    started_at: Timestamp | None = Field(default=None, description="When the Job started.")
    finished_at: Timestamp | None = Field(default=None, description="When its result was recorded.")
    backend_uid: str | None = Field(
        default=None,
        alias="backendUID",
        max_length=64,
        description="The backend that its result was recorded for: one that is made anew has another UID.",
    )
    progress: Progress | None = Field(default=None, description="How far it is.")
    result: TrainingResult | None = Field(default=None, description="How it ended.")
    conditions: Conditions = Field(default_factory=list, description="Succeeded, Reconciling, Stalled.")


class LabelStudioTraining(Contract):
    """One fine-tuning run of a LabelStudioBackend."""

    api_version: Literal["lsbackends.dev/v1alpha1"] = Field(
        default=API_VERSION, description="Version of the contract."
    )
    kind: Literal["LabelStudioTraining"] = Field(
        default="LabelStudioTraining", description="Kind of the object."
    )
    metadata: TrainingMetadata = Field(description="Name, namespace, labels and annotations.")
    spec: TrainingSpec = Field(description="What was asked for.")
    status: TrainingStatus | None = Field(default=None, description="How it goes.")
