"""Basic authentication for everything but the probes; webhooks included, since nothing else signs them."""

import base64
import binascii
import hmac
from pathlib import Path

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from lsb_crds.errors import UserError

MAXIMUM_BYTES = 4096
OPEN = frozenset({"/livez", "/readyz"})


def read_credentials(file: Path) -> tuple[str, str]:
    """User and password from a file with one line `user:password`; raises UserError."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MAXIMUM_BYTES + 1)
        line = data.decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"Cannot read the Basic auth file {file}: {error}.") from error
    user, colon, password = line.partition(":")
    if len(data) > MAXIMUM_BYTES or not (colon and user and password) or "\n" in line:
        raise UserError(f"{file} must hold one line `user:password`, both of them not empty.")
    return user, password


class BasicAuthMiddleware:
    """Lets a request through if it names the one user with the one password."""

    def __init__(self, app: ASGIApp, user: str, password: str, root_path: str = "") -> None:
        self._app = app
        self._expected = f"{user}:{password}".encode()
        self._open = OPEN | {root_path + path for path in OPEN}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._open or self._known(scope):
            await self._app(scope, receive, send)
            return
        answer = JSONResponse(
            {"detail": "Give the user and password of this backend (HTTP Basic)."},
            401,
            {"WWW-Authenticate": 'Basic realm="lsbackends", charset="UTF-8"'},
        )
        await answer(scope, receive, send)

    def _known(self, scope: Scope) -> bool:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        scheme, _, encoded = given.partition(b" ")
        if scheme.lower() != b"basic":
            return False
        try:
            decoded = base64.b64decode(encoded.strip(), validate=True)
        except binascii.Error:
            return False
        return hmac.compare_digest(decoded, self._expected)
