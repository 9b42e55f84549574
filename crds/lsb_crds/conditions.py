"""The conditions of the two resources: what each means, and when it is absent."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from lsb_crds.contract import Contract
from lsb_crds.lists import Distinct
from lsb_crds.text import Form, Timestamp


class BackendCondition(StrEnum):
    """Conditions of a LabelStudioBackend, set by the operator."""

    READY = "Ready"
    """True while as many pods as asked for serve the target version. A failed training does not change it:
    the old weights still serve. False with the reason otherwise, suspended included. Never absent."""

    RECONCILING = "Reconciling"
    """True while the cluster is being brought to what the spec says. Absent when there is nothing to do."""

    STALLED = "Stalled"
    """True when only a person can help: a name that somebody else's object has, a claim or Secret that does
    not exist. The message says what to do. Absent otherwise."""

    REGISTERED = "Registered"
    """True when every project of the manifest has the backend. False with Label Studio's answer in plain
    words. Absent with `register: false` or without projects."""

    TRAINING_SUCCEEDED = "TrainingSucceeded"
    """How the last finished training ended: True for promoted, rejected and awaiting approval alike (it did
    its work), False for a failure, and while the cluster refuses the Job or the pods of the one whose turn it
    is. Absent before the first one."""

    ROLLED_BACK = "RolledBack"
    """True while the version before is served because the newest one crashed or did not become ready. Absent
    otherwise; a new promotion removes it."""

    SUSPENDED = "Suspended"
    """True while `spec.suspend` holds: no pods, no new trainings. Absent otherwise."""


class TrainingCondition(StrEnum):
    """Conditions of a LabelStudioTraining, set by the operator."""

    SUCCEEDED = "Succeeded"
    """Unknown while it waits or runs; True when a candidate was trained and judged, whatever the verdict;
    False when it failed or was superseded. Final once it is True or False."""

    RECONCILING = "Reconciling"
    """True from the start of the Job until its result is recorded. Absent before and after."""

    STALLED = "Stalled"
    """True when it cannot start or ended in failure and only a person can help. Absent otherwise."""


class Condition(Contract):
    """One condition, as Kubernetes has them everywhere."""

    type: Annotated[str, Form(r"^[A-Z][A-Za-z]*$", "a condition's type in CamelCase", 64)] = Field(
        description="Which condition."
    )
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    observed_generation: int | None = Field(
        default=None, ge=0, description="Generation of the spec that this is about."
    )
    last_transition_time: Timestamp = Field(description="When `status` changed last.")
    reason: Annotated[str, Form(r"^[A-Z][A-Za-z0-9]*$", "a reason in CamelCase", 128)] = Field(
        description="Why, in one word, for programs."
    )
    message: Annotated[str, Field(max_length=4096)] = Field(description="Why, in a sentence, for people.")


Conditions = Annotated[list[Condition], Distinct("type"), Field(max_length=8)]
