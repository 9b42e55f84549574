"""Environment variables that somebody adds to a container."""

from typing import Self

from pydantic import ConfigDict, Field, model_validator

from lsb_crds.contract import Contract
from lsb_crds.references import KeySelector
from lsb_crds.rule import Rule, validations
from lsb_crds.text import EnvironmentName, Text

ONE_SOURCE = Rule(
    cel="has(self.secretKeyRef) != has(self.configMapKeyRef)",
    message="exactly one of secretKeyRef and configMapKeyRef must be given",
)
VALUE_OR_SOURCE = Rule(
    cel="!(has(self.value) && has(self.valueFrom))",
    message="value and valueFrom cannot both be given",
)


class ValueSource(Contract):
    """Where a value is kept."""

    model_config = ConfigDict(json_schema_extra=validations(ONE_SOURCE))

    secret_key_ref: KeySelector | None = Field(default=None, description="Key of a Secret.")
    config_map_key_ref: KeySelector | None = Field(default=None, description="Key of a ConfigMap.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        ONE_SOURCE.require((self.secret_key_ref is None) != (self.config_map_key_ref is None))
        return self


class EnvironmentVariable(Contract):
    """One variable, with its value or the place of it."""

    model_config = ConfigDict(json_schema_extra=validations(VALUE_OR_SOURCE))

    name: EnvironmentName = Field(description="Name of the variable.")
    value: Text | None = Field(default=None, description="Its value, as text. Null: empty, or valueFrom.")
    value_from: ValueSource | None = Field(default=None, description="Secret or ConfigMap that holds it.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        VALUE_OR_SOURCE.require(self.value is None or self.value_from is None)
        return self
