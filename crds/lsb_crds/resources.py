"""How much of a machine a container asks for, and may use."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from lsb_crds.contract import Contract
from lsb_crds.quantity import Quantity, compared, quantity
from lsb_crds.rule import Rule, validations

_ALLOWED = "['cpu', 'memory', 'ephemeral-storage']"
_KNOWN_KEY = f"key in {_ALLOWED} || key.startsWith('hugepages-') || key.contains('/')"

KNOWN_RESOURCES = Rule(
    cel=f"(!has(self.limits) || self.limits.all(key, {_KNOWN_KEY}))"
    f" && (!has(self.requests) || self.requests.all(key, {_KNOWN_KEY}))",
    message="a resource is cpu, memory, ephemeral-storage, hugepages-<size> or a device (nvidia.com/gpu)",
)
REQUEST_WITHIN_LIMIT = Rule(
    cel="!has(self.limits) || !has(self.requests) || self.requests.all(key, !(key in self.limits)"
    f" || {compared('string(self.requests[key])', '<=', 'string(self.limits[key])')})",
    message="a request must not be greater than the limit of the same resource",
    field="requests",
)
DEVICE_NEEDS_LIMIT = Rule(
    cel="!has(self.requests) || self.requests.all(key, !key.contains('/') || (has(self.limits)"
    " && key in self.limits"
    f" && {compared('string(self.requests[key])', '==', 'string(self.limits[key])')}))",
    message="a device such as nvidia.com/gpu is asked for in limits; a request of it must be equal or absent",
    field="requests",
)

_GPU_VENDORS = ("nvidia.com/", "amd.com/")
Quantities = Annotated[dict[str, Quantity], Field(max_length=16)]


def _known(key: str) -> bool:
    return key in ("cpu", "memory", "ephemeral-storage") or key.startswith("hugepages-") or "/" in key


class Resources(Contract):
    """Requests and limits of a container, by the name of the resource."""

    model_config = ConfigDict(
        json_schema_extra=validations(KNOWN_RESOURCES, REQUEST_WITHIN_LIMIT, DEVICE_NEEDS_LIMIT)
    )

    limits: Quantities = Field(
        default_factory=dict,
        description="The most the container may use: cores (cpu), bytes (memory), devices (nvidia.com/gpu).",
    )
    requests: Quantities = Field(
        default_factory=dict, description="What is set aside for it, in the same units. Absent: its limit."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        KNOWN_RESOURCES.require(all(map(_known, [*self.limits, *self.requests])))
        both = self.requests.keys() & self.limits.keys()
        REQUEST_WITHIN_LIMIT.require(
            all(quantity(self.requests[key]) <= quantity(self.limits[key]) for key in both)
        )
        DEVICE_NEEDS_LIMIT.require(
            all(
                key in both and quantity(self.requests[key]) == quantity(self.limits[key])
                for key in self.requests
                if "/" in key
            )
        )
        return self

    def asks_for_gpu(self) -> bool:
        """Whether a device is asked for that torch can compute on."""
        return any(
            key.startswith(_GPU_VENDORS) and quantity(amount) > 0 for key, amount in self.limits.items()
        )
