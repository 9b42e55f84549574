"""LabelStudioBackend: what should run."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from lsb_crds.contract import API_VERSION, Contract
from lsb_crds.ingress import Ingress
from lsb_crds.label_studio import LabelStudio
from lsb_crds.metadata import Metadata
from lsb_crds.metrics import TASKS_BY_ENDING, exists
from lsb_crds.model import Model
from lsb_crds.network import NetworkPolicy
from lsb_crds.prelabel import Prelabel
from lsb_crds.redis import Redis
from lsb_crds.rule import Rule, validations
from lsb_crds.serving import Serving
from lsb_crds.status import BackendStatus
from lsb_crds.storage import Storage
from lsb_crds.text import resource_name
from lsb_crds.training_spec import Training

_METRIC_FITS = " || ".join(
    f"(self.training.gate.metric.endsWith('{end}') && self.model.task in {list(tasks)})"
    for end, tasks in TASKS_BY_ENDING.items()
)

METRIC_FITS_TASK = Rule(
    cel=f"!has(self.training.gate.metric) || {_METRIC_FITS}",
    message="the task of the model has no such metric: (B) is for detect, segment, obb and pose, "
    "(M) for segment, (P) for pose, accuracy for classify",
    field="training.gate.metric",
)


class BackendMetadata(Metadata):
    """Metadata of a backend, whose name begins the names of all that is made for it."""

    name: Annotated[str, resource_name(40)] = Field(
        description="Name of the backend: a DNS label of at most 40 characters; other names begin with it."
    )


class BackendSpec(Contract):
    """One model, the projects it serves and learns from, and where it runs."""

    model_config = ConfigDict(json_schema_extra=validations(METRIC_FITS_TASK))

    label_studio: LabelStudio = Field(description="Which Label Studio, and which of its projects.")
    model: Model = Field(default_factory=Model, description="Which model proposes the labels.")
    serving: Serving = Field(default_factory=Serving, description="The pods that answer Label Studio.")
    training: Training = Field(default_factory=Training, description="When and how the model is trained.")
    prelabel: Prelabel = Field(
        default_factory=Prelabel, description="Proposals for tasks that nobody has labelled yet."
    )
    storage: Storage = Field(default_factory=Storage, description="The volume that keeps every version.")
    redis: Redis = Field(default_factory=Redis, description="What replicas share.")
    ingress: Ingress | None = Field(
        default=None, description="How the backend is reached from outside the cluster. Null: it is not."
    )
    network_policy: NetworkPolicy = Field(
        default_factory=NetworkPolicy, description="Who may connect to the backend."
    )
    suspend: bool = Field(
        default=False,
        description="No pods and no new trainings; volume, Service and registration stay.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        metric = self.training.gate.metric
        METRIC_FITS_TASK.require(metric is None or exists(metric, self.model.task))
        return self


class LabelStudioBackend(Contract):
    """A model behind Label Studio: it proposes labels, and learns from what people correct."""

    api_version: Literal["lsbackends.dev/v1alpha1"] = Field(
        default=API_VERSION, description="Version of the contract."
    )
    kind: Literal["LabelStudioBackend"] = Field(
        default="LabelStudioBackend", description="Kind of the object."
    )
    metadata: BackendMetadata = Field(description="Name, namespace, labels and annotations.")
    spec: BackendSpec = Field(description="What should run.")
    status: BackendStatus | None = Field(default=None, description="What does run, said by the operator.")
