"""What replicas share: which annotations were seen already. Losing it loses nothing."""

from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from lsb_crds.contract import Contract
from lsb_crds.pods import requests
from lsb_crds.quantity import Size, compared
from lsb_crds.references import UrlSecret
from lsb_crds.resources import Resources
from lsb_crds.rule import Rule, validations
from lsb_crds.text import DnsSubdomain, Image

EXTERNAL_HAS_URL = Rule(
    cel="(has(self.mode) && self.mode == 'External') == has(self.urlSecretRef)",
    message="urlSecretRef belongs to mode External, and must be given with it",
    field="urlSecretRef",
)
SIZE_GROWS = Rule(
    cel="!has(self.mode) || self.mode != 'Managed' || oldSelf.mode != 'Managed'"
    f" || {compared('self.size', '>=', 'oldSelf.size')}",
    message="a volume can grow, but not shrink",
    field="size",
)


class Redis(Contract):
    """Redis: one that comes with the backend, one that exists, or none."""

    model_config = ConfigDict(json_schema_extra=validations(EXTERNAL_HAS_URL, SIZE_GROWS))

    mode: Literal["None", "Managed", "External"] = Field(
        default="None",
        description="None: each replica counts for itself. Managed: a Redis is run for the backend. "
        "External: the one that urlSecretRef names.",
    )
    url_secret_ref: UrlSecret | None = Field(
        default=None, description="Secret with the URL (redis:// or rediss://) of an external Redis."
    )
    image: Image | None = Field(
        default=None, description="Image of a managed Redis. Null: that of this release."
    )
    size: Size = Field(default="1Gi", description="Size of a managed Redis' volume, bytes. It can only grow.")
    storage_class_name: DnsSubdomain | None = Field(
        default=None, description="StorageClass of a managed Redis' volume. Null: the cluster's default."
    )
    resources: Resources = Field(
        default=requests("50m", "64Mi"),
        description="Requests and limits of a managed Redis. Given, it replaces the default as a whole.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        EXTERNAL_HAS_URL.require((self.mode == "External") == (self.url_secret_ref is not None))
        return self
