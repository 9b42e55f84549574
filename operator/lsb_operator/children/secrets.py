"""Secrets with a random password: made once, never read, never changed."""

from collections.abc import Mapping
from dataclasses import dataclass

from lsb_crds.backend import LabelStudioBackend
from lsb_operator import names
from lsb_operator.children.metadata import metadata, namespace
from lsb_operator.children.volumes import CREDENTIALS_KEY
from lsb_operator.facts import Manifest

USER = "lsbackends"
PASSWORD = "{password}"  # noqa: S105
REDIS_URL_KEY = "url"
REDIS_USERS_KEY = "users.acl"
REDIS_PORT = 6379


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A Secret to create if it is not there; `forms` are its values, with `{password}` where that belongs."""

    manifest: Manifest
    forms: Mapping[str, str]

    def filled(self, password: str) -> Manifest:
        """The manifest to create. `password` is random, of letters, digits, `-` and `_`."""
        values = {key: form.replace(PASSWORD, password) for key, form in self.forms.items()}
        return self.manifest | {"stringData": values}


def secrets(backend: LabelStudioBackend) -> list[NewSecret]:
    """The Secrets that the pods of a backend mount, without those that people make."""
    managed = backend.spec.redis.mode == "Managed"
    return [_basic_auth(backend), *([_redis(backend)] if managed else [])]


def _basic_auth(backend: LabelStudioBackend) -> NewSecret:
    name = names.basic_auth(backend.metadata.name)
    return NewSecret(_secret(backend, name, "serve"), {CREDENTIALS_KEY: f"{USER}:{PASSWORD}"})


def _redis(backend: LabelStudioBackend) -> NewSecret:
    name = names.redis(backend.metadata.name)
    address = f"{name}.{namespace(backend)}.svc:{REDIS_PORT}"
    forms = {
        REDIS_USERS_KEY: f"user default on >{PASSWORD} ~* &* +@all\n",
        REDIS_URL_KEY: f"redis://:{PASSWORD}@{address}/0",
    }
    return NewSecret(_secret(backend, name, "redis"), forms)


def _secret(backend: LabelStudioBackend, name: str, component: names.Component) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(backend, name, component),
        "type": "Opaque",
    }
