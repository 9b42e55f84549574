"""The key to Label Studio: where it comes from, which of the two kinds it is, and the header made of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Literal

from lsb_crds.errors import UserError

VARIABLE = "LABEL_STUDIO_API_KEY"
# A personal access token has about 200 characters.
MAXIMUM_BYTES = 16_384
# Label Studio's access tokens live for 300 s.
FRESH_SECONDS = 240.0


def read_token(token_file: Path | None, environ: Mapping[str, str]) -> str:
    """The token from `token_file`, else from the variable LABEL_STUDIO_API_KEY.

    Raises UserError if there is none, or if what is there cannot be one. White space around it is dropped.
    """
    source = f"The token file {token_file}" if token_file else VARIABLE
    token = (_read(token_file) if token_file else environ.get(VARIABLE, "")).strip()
    if not token:
        advice = "Copy a personal access token from Label Studio (Account & Settings > Personal Access Token)"
        raise UserError(f"{source} is empty or not set. {advice} into {VARIABLE} or into a --token-file.")
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise UserError(
            f"{source} must hold one token on one line, without spaces or other than ASCII letters."
        )
    return token


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise UserError(f"Cannot read the token file {file}: {error.strerror}.") from error
    if len(data) > MAXIMUM_BYTES:
        raise UserError(f"The token file {file} is larger than {MAXIMUM_BYTES} bytes: that is no token.")
    # What is not UTF-8 is refused as not ASCII, like any other letter that a header cannot carry.
    return data.decode("utf-8", errors="replace")


def kind(token: str) -> Literal["personal", "legacy"]:
    """Tell the two kinds apart by form: a personal access token is a JWT, so it has two dots."""
    return "personal" if token.count(".") == 2 else "legacy"


class Credentials:
    """Makes the Authorization header, and makes it anew before Label Studio stops accepting it.

    `read` gives the token as it is now, so that a changed file is noticed; `refresh` exchanges a personal
    access token for an access token. However many callers wait, one exchange is under way.
    """

    def __init__(
        self,
        read: Callable[[], str],
        refresh: Callable[[str], Awaitable[str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._refresh = refresh
        self._clock = clock
        self._header: str | None = None
        self._fresh_until = 0.0
        self._renewal: asyncio.Task[str] | None = None

    async def headers(self) -> dict[str, str]:
        """The header to send to Label Studio, and to nobody else."""
        if self._header is not None and self._clock() < self._fresh_until:
            return {"Authorization": self._header}
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._renew())
            self._renewal.add_done_callback(self._renewed)
        # One caller that gives up must not take the exchange away from the others.
        return {"Authorization": await asyncio.shield(self._renewal)}

    def reject(self, headers: Mapping[str, str]) -> None:
        """A request with these headers came back 401: the next `headers()` makes new ones."""
        if headers.get("Authorization") == self._header:
            self._header = None

    async def close(self) -> None:
        """Stop an exchange that nobody waits for any more."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)

    async def _renew(self) -> str:
        token = self._read()
        header = f"Bearer {await self._refresh(token)}" if kind(token) == "personal" else f"Token {token}"
        self._header, self._fresh_until = header, self._clock() + FRESH_SECONDS
        return header

    def _renewed(self, renewal: asyncio.Task[str]) -> None:
        self._renewal = None
        if not renewal.cancelled():
            renewal.exception()  # so that asyncio does not report one that no caller waited for
