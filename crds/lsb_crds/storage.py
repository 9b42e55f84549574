"""The volume that keeps the weights of every version."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from lsb_crds.contract import Contract
from lsb_crds.lists import Distinct
from lsb_crds.quantity import Size, compared
from lsb_crds.rule import Rule, validations
from lsb_crds.text import DnsSubdomain

AccessMode = Literal["ReadWriteOnce", "ReadWriteMany"]

SIZE_GROWS = Rule(
    cel=f"!has(self.size) || {compared('self.size', '>=', 'oldSelf.size')}",
    message="a volume can grow, but not shrink",
    field="size",
)
CLAIM_HAS_CLASS = Rule(
    cel="!has(self.existingClaim) || !has(self.storageClassName)",
    message="existingClaim has a storage class already: give one of the two",
    field="storageClassName",
)


class Storage(Contract):
    """The weights volume: made for the backend, or one that exists."""

    model_config = ConfigDict(json_schema_extra=validations(SIZE_GROWS, CLAIM_HAS_CLASS))

    size: Size = Field(default="10Gi", description="Size of the volume, bytes. It can only grow.")
    storage_class_name: DnsSubdomain | None = Field(
        default=None, description="StorageClass of the volume. Null: the cluster's default."
    )
    # ReadWriteOncePod is left out: the trainer mounts the volume beside the serving pods.
    access_modes: Annotated[list[AccessMode], Distinct()] = Field(
        default=["ReadWriteOnce"],
        min_length=1,
        max_length=2,
        description="ReadWriteOnce puts all pods of the backend on one node, ReadWriteMany on any. "
        "ReadWriteOncePod cannot work: serving and training share the volume.",
    )
    existing_claim: DnsSubdomain | None = Field(
        default=None,
        description="PersistentVolumeClaim to use, by this backend alone: it takes every version in there "
        "for its own. Null: one is made, named after the backend.",
    )
    retain: bool = Field(default=True, description="Whether the volume outlives the backend.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        CLAIM_HAS_CLASS.require(self.existing_claim is None or self.storage_class_name is None)
        return self
