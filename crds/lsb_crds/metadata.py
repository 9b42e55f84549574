"""Kubernetes' own part of an object; which name is allowed is for each resource to say."""

from pydantic import Field, JsonValue

from lsb_crds.contract import Contract
from lsb_crds.text import DnsLabel


class Metadata(Contract):
    """What Kubernetes keeps about every object. All of its fields are known, so that a typo is found."""

    name: str = Field(description="Name of the object, unique in its namespace.")
    generate_name: str | None = Field(default=None, description="Prefix from which a name was generated.")
    namespace: DnsLabel | None = Field(default=None, description="Namespace. Null: `default`.")
    labels: dict[str, str] = Field(default_factory=dict, description="Labels.")
    annotations: dict[str, str] = Field(default_factory=dict, description="Annotations.")
    uid: str | None = Field(default=None, description="Unique id, given by the API server.")
    resource_version: str | None = Field(
        default=None, description="Version of the object, by the API server."
    )
    generation: int | None = Field(default=None, description="Number of the spec, counted by the API server.")
    creation_timestamp: str | None = Field(default=None, description="When the object was made.")
    deletion_timestamp: str | None = Field(default=None, description="When its deletion was asked for.")
    deletion_grace_period_seconds: int | None = Field(default=None, description="Time to delete it, seconds.")
    finalizers: list[str] = Field(default_factory=list, description="What must be done before it is gone.")
    owner_references: list[dict[str, JsonValue]] = Field(
        default_factory=list, description="Owners of the object."
    )
    managed_fields: list[dict[str, JsonValue]] = Field(
        default_factory=list, description="Who owns which field."
    )
    self_link: str | None = Field(default=None, description="Unused by Kubernetes; old exports carry it.")
