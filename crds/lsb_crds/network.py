"""Who may connect to the backend."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from lsb_crds.contract import Contract
from lsb_crds.rule import Rule, validations
from lsb_crds.text import Form, LabelKey, LabelValue

ONE_KIND_OF_PEER = Rule(
    cel="has(self.ipBlock) != (has(self.podSelector) || has(self.namespaceSelector))",
    message="a peer is either an ipBlock, or a podSelector, a namespaceSelector or both",
)
VALUES_FIT_OPERATOR = Rule(
    cel="(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
    message="operators In and NotIn need values; Exists and DoesNotExist have none",
    field="values",
)

Cidr = Annotated[str, Form(r"^[0-9A-Fa-f:.]+/[0-9]{1,3}$", "a range of addresses, such as '10.0.0.0/8'", 43)]


class LabelExpression(Contract):
    """One condition on labels."""

    model_config = ConfigDict(json_schema_extra=validations(VALUES_FIT_OPERATOR))

    key: LabelKey = Field(description="Key of the label.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"] = Field(description="How it is compared.")
    values: Annotated[list[LabelValue], Field(max_length=32)] = Field(
        default_factory=list, description="Values, for In and NotIn."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        VALUES_FIT_OPERATOR.require((self.operator in ("In", "NotIn")) == bool(self.values))
        return self


class LabelSelector(Contract):
    """Pods or namespaces by their labels; an empty one selects all."""

    match_labels: Annotated[dict[LabelKey, LabelValue], Field(max_length=32)] = Field(
        default_factory=dict, description="Labels that must be there with these values."
    )
    match_expressions: Annotated[list[LabelExpression], Field(max_length=16)] = Field(
        default_factory=list, description="Further conditions, all of which must hold."
    )


class IpBlock(Contract):
    """A range of addresses."""

    cidr: Cidr = Field(description="The range, such as 10.0.0.0/8.")
    excepted: Annotated[list[Cidr], Field(max_length=32)] = Field(
        default_factory=list, alias="except", description="Ranges within it that are left out."
    )


class NetworkPeer(Contract):
    """Somebody who may connect."""

    model_config = ConfigDict(json_schema_extra=validations(ONE_KIND_OF_PEER))

    pod_selector: LabelSelector | None = Field(
        default=None, description="Pods, of the backend's own namespace unless namespaceSelector is given."
    )
    namespace_selector: LabelSelector | None = Field(
        default=None, description="Namespaces. Null: the own one."
    )
    ip_block: IpBlock | None = Field(default=None, description="Addresses outside the cluster.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        selects = self.pod_selector is not None or self.namespace_selector is not None
        ONE_KIND_OF_PEER.require((self.ip_block is not None) != selects)
        return self


class NetworkPolicy(Contract):
    """A NetworkPolicy for the backend's pods."""

    enabled: bool = Field(default=False, description="Whether there is one; the cluster must enforce them.")
    peers: Annotated[list[NetworkPeer], Field(max_length=32)] = Field(
        default_factory=list,
        alias="from",
        description="Who may connect to port 9090. Empty: anybody. Port 9091 (metrics, status) is open to "
        "the backend's own namespace only.",
    )
