"""Pointers to Secrets and ConfigMaps in the backend's own namespace."""

from pydantic import Field

from lsb_crds.contract import Contract
from lsb_crds.text import DataKey, DnsSubdomain


class TokenSecret(Contract):
    """The Secret that holds Label Studio's access token."""

    name: DnsSubdomain = Field(description="Name of the Secret, in the backend's namespace.")
    key: DataKey = Field(default="token", description="Key of the token in the Secret.")


class UrlSecret(Contract):
    """The Secret that holds a URL with credentials in it."""

    name: DnsSubdomain = Field(description="Name of the Secret, in the backend's namespace.")
    key: DataKey = Field(default="url", description="Key of the URL in the Secret.")


class CertificateBundle(Contract):
    """The ConfigMap that holds certificates of authorities to trust."""

    name: DnsSubdomain = Field(description="Name of the ConfigMap, in the backend's namespace.")
    key: DataKey = Field(default="ca.crt", description="Key of the PEM bundle in the ConfigMap.")


class KeySelector(Contract):
    """One key of a Secret or a ConfigMap."""

    name: DnsSubdomain = Field(description="Name of the Secret or ConfigMap, in the backend's namespace.")
    key: DataKey = Field(description="Key in it.")
    optional: bool = Field(default=False, description="Whether a pod may start without it.")


class NamedReference(Contract):
    """A Secret by its name."""

    name: DnsSubdomain = Field(description="Name of the Secret, in the backend's namespace.")
