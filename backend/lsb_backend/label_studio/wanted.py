"""What Label Studio should hold about this backend in a project, and whether it does."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from lsb_crds.errors import UserError

from .records import Backend, Webhook


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """User and password that the backend asks for."""

    user: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        for value in (self.user, self.password):
            # Label Studio fails on an empty password, and encodes other letters in a way of its own.
            if not value or not value.isascii() or not value.isprintable():
                raise UserError(
                    "User and password of HTTP Basic authentication must be ASCII, neither one empty."
                )
        if ":" in self.user:
            raise UserError("The user of HTTP Basic authentication must be ASCII without a colon.")

    @property
    def header(self) -> str:
        """The value of the Authorization header."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What each project's two rows should say; `namespace` is None on one machine."""

    url: str
    title: str
    basic_auth: BasicAuth | None
    namespace: str | None = None

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise UserError(f"labelStudio.backendURL is {self.url!r}: it must look like http://host:9090.")
        if parts.username is not None:
            raise UserError("labelStudio.backendURL must not hold user or password: set them as Basic auth.")

    @property
    def mark(self) -> str:
        """The description that tells our row from one that a person made, and from a namesake's."""
        name = f"{self.namespace}/{self.title}" if self.namespace else self.title
        return f"Managed by lsbackends ({name})"

    @property
    def webhook_url(self) -> str:
        """Where Label Studio sends events; the address that it would choose itself."""
        return webhook_url(self.url)

    @property
    def webhook_headers(self) -> dict[str, str]:
        """Label Studio sends its Basic credentials with everything but webhooks."""
        return {"Authorization": self.basic_auth.header} if self.basic_auth else {}

    def backend(self, project: int) -> dict[str, Any]:
        """The ML backend as Label Studio's API takes it. An empty password would be an error there."""
        fields = {"project": project, "url": self.url, "title": self.title, "description": self.mark}
        if self.basic_auth is None:
            # Without a user Label Studio stops sending a password that it still has.
            return {**fields, "auth_method": "NONE", "basic_auth_user": ""}
        credentials = {"basic_auth_user": self.basic_auth.user, "basic_auth_pass": self.basic_auth.password}
        return {**fields, "auth_method": "BASIC_AUTH", **credentials}

    def webhook(self) -> dict[str, Any]:
        """The webhook as Label Studio's API takes it: all fields, for it empties some that are missing."""
        return {
            "url": self.webhook_url,
            "send_payload": True,
            "send_for_all_actions": True,
            "is_active": True,
            "actions": [],
            "headers": self.webhook_headers,
        }


def webhook_url(backend_url: str) -> str:
    """The webhook that belongs to a backend."""
    return f"{backend_url.rstrip('/')}/webhook"


def ours(backends: Iterable[Backend], wanted: Wanted) -> list[Backend]:
    """The rows that mean this backend: the same address, or our mark with an earlier address."""
    return [row for row in backends if row.url.rstrip("/") == wanted.url or row.description == wanted.mark]


def settled(row: Backend, webhooks: Iterable[Webhook], wanted: Wanted) -> bool:
    """Whether a row needs no change.

    Label Studio never shows a password; the webhook holds the same one, so what is old there is old here.
    """
    shown = (row.url, row.title, row.description, row.basic_auth_user or "")
    right = (wanted.url, wanted.title, wanted.mark, wanted.basic_auth.user if wanted.basic_auth else "")
    password = wanted.basic_auth is None or (
        row.basic_auth_pass_is_set
        and any(
            hook.url == wanted.webhook_url and hook.headers == wanted.webhook_headers for hook in webhooks
        )
    )
    return shown == right and password and row.state == "CO"
