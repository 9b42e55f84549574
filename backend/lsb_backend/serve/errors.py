"""Every refusal becomes one line of JSON with the right status; nobody is ever sent a traceback."""

from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from lsb_backend.serve.unread import UnreadResponse
from lsb_crds.errors import UserError

UNPROCESSABLE = 422


class RefusalError(UserError):
    """A refusal that knows its HTTP status and headers."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})


class NotReadyError(RefusalError):
    """Nothing can be predicted yet; `Retry-After` is in seconds."""

    def __init__(self, message: str, retry_after: int = 5) -> None:
        super().__init__(503, message, {"Retry-After": str(retry_after)})


def refuse(error: UserError) -> JSONResponse:
    """The answer for `error`: its own status and headers where it has some, else 422."""
    headers: dict[str, str] = dict(getattr(error, "headers", {}))
    return _answer(getattr(error, "status", UNPROCESSABLE), str(error), headers)


def install(app: Starlette) -> None:
    """Make `app` answer every error as one line of JSON."""
    app.add_exception_handler(UserError, _user_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)


async def _user_error(_: Request, error: Exception) -> JSONResponse:
    return refuse(error) if isinstance(error, UserError) else _answer(500, str(error))


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        return _answer(500, str(error))
    return _answer(error.status_code, error.detail, dict(error.headers or {}))


async def _unexpected(_: Request, error: Exception) -> JSONResponse:
    # Starlette raises the error again after this answer, so the server's log gets the traceback.
    return _answer(500, f"Unexpected {type(error).__name__}; the log of the backend says more.")


def _answer(status: int, detail: Any, headers: Mapping[str, str] | None = None) -> JSONResponse:
    unread = (headers or {}).get("Connection") == "close"
    kind = UnreadResponse if unread else JSONResponse
    return kind({"detail": " ".join(str(detail).split())}, status, headers)
