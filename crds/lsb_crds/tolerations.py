"""Which tainted nodes a pod may run on."""

from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from lsb_crds.contract import Contract
from lsb_crds.rule import Rule, validations
from lsb_crds.text import LabelKey, LabelValue

EXISTS_HAS_NO_VALUE = Rule(
    cel="self.operator != 'Exists' || !has(self.value) || self.value == ''",
    message="with operator Exists no value can be given",
    field="value",
)
EMPTY_KEY_NEEDS_EXISTS = Rule(
    cel="has(self.key) || self.operator == 'Exists'",
    message="without a key (every taint) the operator must be Exists",
    field="operator",
)
SECONDS_NEED_NO_EXECUTE = Rule(
    cel="!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
    message="tolerationSeconds needs effect NoExecute",
    field="tolerationSeconds",
)


class Toleration(Contract):
    """A taint that the pod puts up with."""

    model_config = ConfigDict(
        json_schema_extra=validations(EXISTS_HAS_NO_VALUE, EMPTY_KEY_NEEDS_EXISTS, SECONDS_NEED_NO_EXECUTE)
    )

    key: LabelKey | None = Field(default=None, description="Key of the taint. Null: every taint.")
    operator: Literal["Exists", "Equal"] = Field(
        default="Equal", description="Whether the taint must have the value, or only exist."
    )
    value: LabelValue | None = Field(default=None, description="Value of the taint, with operator Equal.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        default=None, description="Effect of the taint. Null: any."
    )
    toleration_seconds: int | None = Field(
        default=None,
        ge=0,
        description="How long the pod stays on a node tainted NoExecute, seconds. Null: forever.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        EXISTS_HAS_NO_VALUE.require(self.operator != "Exists" or not self.value)
        EMPTY_KEY_NEEDS_EXISTS.require(self.key is not None or self.operator == "Exists")
        SECONDS_NEED_NO_EXECUTE.require(self.toleration_seconds is None or self.effect == "NoExecute")
        return self
