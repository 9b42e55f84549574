"""Addresses as they are sent: what somebody has percent-encoded, or signed, is never encoded anew."""

import re
from collections.abc import Iterable
from urllib.parse import quote

from yarl import URL

from lsb_backend.media.error import MediaError, Reason

LONGEST = 8192
SHOWN = 200
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")

Origin = tuple[str, str, int | None]


def require_text(text: str) -> None:
    """Raise MediaError for half a surrogate pair, which JSON can hold and no address can."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise MediaError(
            Reason.NOT_AN_ADDRESS, f"{text[:SHOWN]!r} is no address: it holds half a character."
        ) from None


def encode(text: str) -> str:
    """`text` with only those characters percent-encoded that an address may not hold. Raises MediaError."""
    require_text(text)
    return quote(_STRAY_PERCENT.sub("%25", text), safe="%/:=&?~+!$,;'@()*[]|")


def parse(text: str) -> URL:
    """An http or https address; raises MediaError for what is none, or holds a user name."""
    try:
        url = URL(encode(text.partition("#")[0]), encoded=True)
        usable = url.scheme in ("http", "https") and url.raw_host and url.port and len(text) <= LONGEST
    except ValueError:
        usable = False
    if not usable:
        raise MediaError(Reason.NOT_AN_ADDRESS, f"{text[:SHOWN]!r} is not an address that can be read.")
    if url.raw_user is not None or url.raw_password is not None:
        # `http://label-studio@elsewhere/` reads as one host and is another; nobody needs it for images.
        raise MediaError(Reason.FORBIDDEN_HOST, f"The address at {url.raw_host} holds a user: remove it.")
    return url


def origin(url: URL) -> Origin:
    """Scheme, host and port: equal for two addresses of one server."""
    return url.scheme.lower(), (url.raw_host or "").lower(), url.port


def shown(url: URL) -> str:
    """An address for a log, without its query: that may be a signature."""
    return str(url.with_user(None).with_query(None))[:SHOWN]


def allowed(url: URL, hosts: Iterable[str]) -> bool:
    """True if `url` lies on one of `hosts`: names, or names with a port, without regard to case.

    An entry without a port admits every port of that host.
    """
    return any(_matches(url, entry.strip()) for entry in hosts)


def _matches(url: URL, entry: str) -> bool:
    if entry.count(":") > 1 and not entry.startswith("["):
        entry = f"[{entry}]"
    try:
        admitted = URL(f"{url.scheme}://{entry}")
        return origin(admitted.with_port(admitted.explicit_port or url.port)) == origin(url)
    except ValueError:
        return False
