"""The base of every model of the contract: how a manifest is read, strictly and in camelCase."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel

GROUP: Final = "lsbackends.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = "lsbackends.dev/v1alpha1"


class Contract(BaseModel):
    """Immutable; snake_case in Python, camelCase in a manifest; unknown fields and wrong types are refused.

    A live object may come from a newer release: read it with `model_validate(..., extra="ignore")`.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        # Built when first used: whoever reads a backend never uses two thirds of these models.
        defer_build=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _null_means_absent(cls, data: Any) -> Any:
        # As the API server does it: `serving:` with nothing below it is null, and gets its default.
        if not isinstance(data, dict):
            return data
        known = {name for key, field in cls.model_fields.items() for name in (key, field.alias)}
        return {key: value for key, value in data.items() if value is not None or key not in known}
