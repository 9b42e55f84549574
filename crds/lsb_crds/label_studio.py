"""Which Label Studio, how to reach it and be reached, and which of its projects."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from lsb_crds.contract import Contract
from lsb_crds.lists import Distinct
from lsb_crds.references import CertificateBundle, TokenSecret
from lsb_crds.rule import Rule, validations
from lsb_crds.text import DnsSubdomain, FilePath, Host, HttpUrl, SubPath

ONE_PLACE = Rule(
    cel="has(self.claimName) != has(self.path)",
    message="exactly one of claimName (in a cluster) and path (on this machine) must be given",
)
SUB_PATH_OF_CLAIM = Rule(
    cel="!has(self.subPath) || has(self.claimName)",
    message="subPath is a folder of a claim: give claimName with it, or put the folder into path",
    field="subPath",
)
SUB_PATH_INSIDE = Rule(
    cel="!has(self.subPath) || !self.subPath.split('/').exists(part, part == '..')",
    message="subPath must not lead out of the volume with '..'",
    field="subPath",
)


class Media(Contract):
    """Label Studio's media folder, read from disk instead of over HTTP; never written to."""

    model_config = ConfigDict(json_schema_extra=validations(ONE_PLACE, SUB_PATH_OF_CLAIM, SUB_PATH_INSIDE))

    claim_name: DnsSubdomain | None = Field(
        default=None,
        description="PersistentVolumeClaim that holds Label Studio's data, mounted read-only. Null: none.",
    )
    sub_path: SubPath | None = Field(
        default=None, description="Folder of the claim that is the media folder. Null: the claim's root."
    )
    path: FilePath | None = Field(
        default=None, description="The media folder on this machine, for a laptop. Null: claimName is given."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        ONE_PLACE.require((self.claim_name is None) != (self.path is None))
        SUB_PATH_OF_CLAIM.require(self.sub_path is None or self.claim_name is not None)
        SUB_PATH_INSIDE.require(self.sub_path is None or ".." not in self.sub_path.split("/"))
        return self


class LabelStudio(Contract):
    """Where Label Studio is, and what the backend does for it."""

    url: HttpUrl = Field(
        description="URL of Label Studio as the backend reaches it; a sub-path is part of it. No credentials."
    )
    backend_url: HttpUrl | None = Field(
        default=None,
        alias="backendURL",
        description="URL of the backend as Label Studio reaches it. Null: http://<name>.<namespace>.svc:9090.",
    )
    token_secret_ref: TokenSecret | None = Field(
        default=None,
        description="Secret with an access token of Label Studio, personal or legacy (found out by itself). "
        "Null: none in a cluster, LABEL_STUDIO_API_KEY or --token-file on a laptop.",
    )
    projects: Annotated[list[Annotated[int, Field(ge=1, le=2**31 - 1)]], Distinct()] = Field(
        default_factory=list,
        max_length=100,
        description="Ids of the projects to register in and to train on together. "
        "Empty: whatever project connects by hand.",
    )
    register_backend: bool = Field(
        default=True,
        alias="register",
        description="Whether to add, update and remove the backend in those projects.",
    )
    media: Media | None = Field(
        default=None,
        description="Label Studio's media folder, to read uploads from disk. Null: they come over HTTP.",
    )
    media_hosts: Annotated[list[Host], Distinct()] = Field(
        default_factory=list,
        max_length=100,
        description="Hosts besides Label Studio's own that tasks may point to; a host with a port admits "
        "that port only. Label Studio's token is never sent to them.",
    )
    ca_bundle: CertificateBundle | None = Field(
        default=None,
        description="ConfigMap with certificates to trust besides the system's. Null: the system's alone.",
    )
