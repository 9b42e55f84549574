"""How the backend is reached from outside the cluster."""

from typing import Annotated

from pydantic import Field

from lsb_crds.contract import Contract
from lsb_crds.text import DnsSubdomain, HttpPath, LabelKey, Text


class IngressTls(Contract):
    """HTTPS at the ingress."""

    secret_name: DnsSubdomain = Field(description="Secret with the certificate and key of the host.")


class Ingress(Contract):
    """An Ingress for port 9090: the page for people, and Label Studio outside the cluster."""

    class_name: DnsSubdomain | None = Field(
        default=None, description="IngressClass. Null: the cluster's default."
    )
    host: DnsSubdomain = Field(description="Host name, such as ml.example.org.")
    path: HttpPath = Field(
        default="/", description="Path prefix. The backend serves it itself: no rewriting is needed."
    )
    tls: IngressTls | None = Field(default=None, description="HTTPS. Null: plain HTTP.")
    annotations: Annotated[dict[LabelKey, Text], Field(max_length=64)] = Field(
        default_factory=dict, description="Annotations of the Ingress, for its controller."
    )
