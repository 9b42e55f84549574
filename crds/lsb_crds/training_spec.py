"""When a backend's model is trained, with what, and when the result takes over."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, field_validator

from lsb_crds.contract import Contract
from lsb_crds.cron import Schedule, TimeZone
from lsb_crds.metrics import Metric
from lsb_crds.pods import Pod, requests
from lsb_crds.quantity import Size
from lsb_crds.resources import Resources
from lsb_crds.rule import Rule, validations
from lsb_crds.text import DnsSubdomain

_OUR_ARGUMENTS = {
    "data": "string",
    "model": "string",
    "project": "string",
    "name": "string",
    "save_dir": "string",
    "resume": "boolean",
    "exist_ok": "boolean",
}

ARGUMENTS_OURS = Rule(
    cel=f"![{', '.join(f'has(self.{name})' for name in _OUR_ARGUMENTS)}].exists(given, given)",
    message=f"{', '.join(_OUR_ARGUMENTS)} are set by the training itself and cannot be given",
)


def _arguments_schema() -> dict[str, JsonValue]:
    # The API server's rules see the declared fields of an open object alone.
    refused: dict[str, JsonValue] = {
        name: {"type": kind, "description": "Set by the training itself: refused."}
        for name, kind in _OUR_ARGUMENTS.items()
    }
    open_object: dict[str, JsonValue] = {"x-kubernetes-preserve-unknown-fields": True, "properties": refused}
    return open_object | validations(ARGUMENTS_OURS)


Arguments = Annotated[dict[str, JsonValue], Field(max_length=64, json_schema_extra=_arguments_schema())]


def check_arguments(arguments: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the arguments for ultralytics, or raise the error that says which are not for others to set."""
    ARGUMENTS_OURS.require(not any(key in _OUR_ARGUMENTS for key in arguments))
    return arguments


class Triggers(Contract):
    """What starts a training by itself."""

    button: bool = Field(default=True, description="Label Studio's Start-training button starts one.")
    annotations: int = Field(
        default=50,
        ge=0,
        le=1_000_000,
        description="Number of tasks annotated or corrected since the last training to start one. 0: never.",
    )
    schedule: Schedule | None = Field(
        default=None,
        description="Cron expression (minute hour day month weekday) that starts one. Null: no schedule.",
    )
    time_zone: TimeZone = Field(default="Etc/UTC", description="IANA time zone of the schedule.")


class Gate(Contract):
    """When a trained candidate takes over from the version that is served."""

    metric: Metric | None = Field(
        default=None,
        description="Metric to compare, as ultralytics names it, on data neither trained on. "
        "Null: mAP50-95 of boxes (B), masks (M) or key points (P), or top-1 accuracy, by task.",
    )
    minimum_gain: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="How much better the candidate must be, in the metric's own unit (0 to 1).",
    )
    approval: Literal["Auto", "Manual"] = Field(
        default="Auto",
        description="Auto: a candidate that is better takes over. Manual: it waits for a person.",
    )


class Training(Pod):
    """How the model is trained: one Job at a time."""

    resources: Resources = Field(
        default=requests("500m", "2Gi"),
        description="Requests and limits of the training pod. Given, it replaces the default as a whole.",
    )
    shared_memory: Size = Field(
        default="1Gi",
        description="Size of /dev/shm, bytes; the data loader's workers pass images through it. "
        "Kept in memory, used as needed.",
    )
    triggers: Triggers = Field(default_factory=Triggers, description="What starts a training by itself.")
    minimum_annotations: int = Field(
        default=20,
        ge=1,
        le=1_000_000,
        description="Number of annotated tasks below which nothing is trained.",
    )
    validation_fraction: float = Field(
        default=0.2,
        gt=0,
        le=0.5,
        description="Share of the annotated tasks that is kept for validation, between 0 and 0.5.",
    )
    epochs: int = Field(default=100, ge=1, le=10_000, description="Greatest number of passes over the data.")
    arguments: Arguments = Field(
        default_factory=dict, description="Further arguments for ultralytics' train, by its own names."
    )
    gate: Gate = Field(default_factory=Gate, description="When a candidate takes over.")
    while_training: Literal["Serve", "Pause"] = Field(
        default="Serve",
        description="Serve: predictions go on. Pause: the serving pods lend their GPU to the Job.",
    )
    backoff_limit: int = Field(
        default=2, ge=0, le=10, description="Number of times a failed training is tried again."
    )
    active_deadline_seconds: int = Field(
        default=86_400,
        ge=60,
        le=2_592_000,
        description="Longest a training may take, retries included, seconds.",
    )
    queue: DnsSubdomain | None = Field(
        default=None, description="Local queue of Kueue that admits the Job. Null: not queued."
    )
    keep_versions: int = Field(
        default=10,
        ge=2,
        le=1000,
        description="Number of versions to keep; those served, served before or pinned are kept besides.",
    )

    _check_arguments = field_validator("arguments")(check_arguments)
