"""What somebody may choose about a pod: chosen fields, so that the schema stays small enough to apply."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, JsonValue, model_validator

from lsb_crds.contract import Contract
from lsb_crds.environment import EnvironmentVariable
from lsb_crds.lists import Distinct
from lsb_crds.quantity import Size, compared, quantity
from lsb_crds.references import NamedReference
from lsb_crds.resources import Resources
from lsb_crds.rule import Rule, validations
from lsb_crds.text import DnsSubdomain, Image, LabelKey, LabelValue
from lsb_crds.tolerations import Toleration

SHARED_MEMORY_FITS = Rule(
    cel="!has(self.resources) || !has(self.resources.limits) || !('memory' in self.resources.limits)"
    " || " + compared("self.sharedMemory", "<", "string(self.resources.limits['memory'])"),
    message="sharedMemory must be less than the memory limit, which it counts against",
    field="sharedMemory",
)


class Affinity(Contract):
    """Which nodes, and the company of which pods, a pod prefers. The content is Kubernetes' own."""

    node_affinity: dict[str, JsonValue] | None = Field(
        default=None, description="As in a pod: rules about the labels of nodes."
    )
    pod_affinity: dict[str, JsonValue] | None = Field(
        default=None, description="As in a pod: rules about pods to run near to."
    )
    pod_anti_affinity: dict[str, JsonValue] | None = Field(
        default=None, description="As in a pod: rules about pods to stay away from."
    )


class Pod(Contract):
    """The fields that serving pods and training pods have in common."""

    model_config = ConfigDict(json_schema_extra=validations(SHARED_MEMORY_FITS))

    image: Image | None = Field(
        default=None, description="Container image. Null: that of this release, for the runtime."
    )
    resources: Resources = Field(default_factory=Resources, description="Requests and limits.")
    shared_memory: Size = Field(default="64Mi", description="Size of /dev/shm, bytes; kept in memory.")
    node_selector: Annotated[dict[LabelKey, LabelValue], Field(max_length=32)] = Field(
        default_factory=dict, description="Labels that a node must have."
    )
    tolerations: Annotated[list[Toleration], Field(max_length=32)] = Field(
        default_factory=list, description="Taints of nodes that do not keep the pods away."
    )
    affinity: Affinity | None = Field(
        default=None, description="Preferences about nodes and neighbours. Null: none."
    )
    priority_class_name: DnsSubdomain | None = Field(
        default=None, description="PriorityClass of the pods. Null: the cluster's default."
    )
    runtime_class_name: DnsSubdomain | None = Field(
        default=None, description="RuntimeClass of the pods (nvidia, for one). Null: the cluster's default."
    )
    image_pull_secrets: Annotated[list[NamedReference], Distinct("name"), Field(max_length=16)] = Field(
        default_factory=list, description="Secrets with credentials of image registries."
    )
    env: Annotated[list[EnvironmentVariable], Distinct("name"), Field(max_length=64)] = Field(
        default_factory=list, description="Environment variables to add to the container."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        limit = self.resources.limits.get("memory")
        SHARED_MEMORY_FITS.require(limit is None or quantity(self.shared_memory) < quantity(limit))
        return self


def requests(cpu: str, memory: str) -> Resources:
    """What a container asks for where nobody says: requests only, since a wrong limit kills."""
    return Resources(requests={"cpu": cpu, "memory": memory})
