"""What an API server refused, in one line that says what to do."""

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from lsb_crds.errors import UserError
from lsb_operator.kinds import Kind

_RIGHTS = re.compile(r'(?:User )?"(?P<user>[^"]+)" cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)"')


class MissingError(UserError):
    """The object does not exist."""


class UnreachableError(UserError):
    """The API server does not answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked of the API server, in the words in which rights are given."""

    verb: str
    kind: Kind
    namespace: str
    name: str = ""
    subresource: str = ""


def refused(request: Request, status: int, body: str, server: str) -> UserError:
    """The error for an answer that is not a success; `body` is what the server said."""
    told = _status_object(body)
    message = str(told.get("message") or body.strip() or f"HTTP {status}")
    if status == HTTPStatus.UNAUTHORIZED:
        return UserError(f"{server} does not know you (401): log in again, or choose another --context")
    if status == HTTPStatus.FORBIDDEN:
        return _forbidden(request, message)
    if status == HTTPStatus.NOT_FOUND and not told:
        return UserError(
            f"{server} knows no {request.kind.name}: install the definitions with "
            "`lsb crd | kubectl apply --server-side -f -`, and the operator"
        )
    if status == HTTPStatus.NOT_FOUND and told.get("details", {}).get("name", request.name) == request.name:
        return MissingError(f"There is no {request.kind.name} {request.name} in {request.namespace}")
    causes = told.get("details", {}).get("causes") or []
    if status == HTTPStatus.UNPROCESSABLE_ENTITY and causes:
        return UserError("; ".join(f"{one.get('field')}: {one.get('message')}" for one in causes))
    return UserError(message)


def unreachable(server: str, error: Exception) -> UnreachableError:
    """The error for an API server that did not answer."""
    why = str(error).rsplit(": ", 1)[-1].rstrip(".")
    return UnreachableError(
        f"{server} cannot be reached ({why}): is the cluster up, and is this the right --context?"
    )


def _forbidden(request: Request, message: str) -> UserError:
    found = _RIGHTS.search(message)
    if found is None:
        # Not a missing right: a quota or an admission policy, which say it themselves.
        return UserError(message)
    resource = f"{request.kind.plural}/{request.subresource}".rstrip("/")
    group = f' of apiGroup "{request.kind.group}"' if request.kind.group else ""
    return UserError(
        f"{found['user']} may not {found['verb']} {resource} in namespace {request.namespace}: "
        f'ask for a Role with the verb "{found["verb"]}" on {resource}{group}'
    )


def _status_object(body: str) -> dict[str, Any]:
    """The server's Status; empty where it said something else, as it does below an unknown path."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and found.get("kind") == "Status" else {}
