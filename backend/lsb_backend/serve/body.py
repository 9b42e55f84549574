"""Reading a request body with a bound on what it costs, and saying in one line what is wrong with it."""

import asyncio
import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from lsb_backend.serve.errors import RefusalError

MEBIBYTE = 2**20
LIMIT = 64 * MEBIBYTE
TOO_LONG, TOO_SLOW, TOO_MUCH = UNREAD = (413, 408, 503)
# Parsing holds everybody else up. What Label Studio sends in 64 MiB has up to 6 million values, 600,000 of
# them objects, and takes 0.4 s; the same bytes made of nothing but brackets would take 20 s.
MOST_VALUES = 6_500_000
MOST_OBJECTS = 700_000
# An escaped backslash and a whole surrogate pair are passed over; what remains is half a pair.
_SURROGATE = re.compile(rb"(\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|\\u[dD][89a-fA-F]..", re.DOTALL)
Model = TypeVar("Model", bound=BaseModel)


class Bodies:
    """Reads bodies, of which those that arrive at the same time take `most` bytes together.

    The first `free` bytes of each are not counted, so that a few long ones keep no webhook out. A body has
    `patience` seconds to arrive.
    """

    def __init__(
        self, most: int = 256 * MEBIBYTE, free: int = MEBIBYTE // 4, patience: float = 300.0
    ) -> None:
        self._most = most
        self._free = free
        self._patience = patience
        self._held = 0

    async def read(self, request: Request, limit: int = LIMIT) -> bytes:
        """The body, of at most `limit` bytes.

        Raises RefusalError: 413 for a longer body, 415 for a content type other than JSON, 408 for one that
        does not arrive, 503 where too much arrives already.
        """
        _require_json(request.headers.get("content-type", ""))
        announced = request.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > limit:
            raise _too_long(f"is longer than {limit} bytes")
        data = bytearray()
        counted = 0
        try:
            async with asyncio.timeout(self._patience):
                async for chunk in request.stream():
                    data += chunk
                    if len(data) > limit:
                        raise _too_long(f"is longer than {limit} bytes")
                    self._held -= counted
                    counted = max(0, len(data) - self._free)
                    self._held += counted
                    if counted and self._held > self._most:
                        raise _unread(TOO_MUCH, "Too much is being sent at once: ask again soon.", "5")
        except TimeoutError:
            raise _unread(TOO_SLOW, f"The body did not arrive within {self._patience:g} s.") from None
        except ClientDisconnect:
            raise _unread(TOO_SLOW, "The caller left before its body was complete.") from None
        finally:
            self._held -= counted
        return bytes(data)


def parse(model: type[Model], data: bytes) -> Model:
    """The JSON in `data` as `model`; fields that the model does not have are never made into objects.

    Raises RefusalError: 400 for what is not JSON, 413 for more values than can be read in a moment, 422
    naming the first field that does not fit.
    """
    _require_few_values(data)
    try:
        return _validated(model, data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        raise RefusalError(400, f"The body is not JSON: {first['msg']}. Send one JSON document in UTF-8.")
    where = ".".join(str(part) for part in first["loc"]) or "body"
    raise RefusalError(422, f"{where}: {first['msg']}.")


def _validated(model: type[Model], data: bytes) -> Model:
    with _no_collection():
        try:
            return model.model_validate_json(data)
        except ValidationError as error:
            if not _has_half_a_pair(error):
                raise
        # One task with half a character in it must not cost the others their answers.
        return model.model_validate_json(_SURROGATE.sub(lambda found: found[1] or rb"\ufffd", data))


def _has_half_a_pair(error: ValidationError) -> bool:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return first["type"] == "json_invalid" and ("surrogate" in first["msg"] or "hex escape" in first["msg"])


@contextmanager
def _no_collection() -> Iterator[None]:
    # Each of the new objects is referenced: looking through them for garbage takes most of the time.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _require_few_values(data: bytes) -> None:
    objects = data.count(b"{")
    if objects > MOST_OBJECTS or objects + data.count(b"[") + data.count(b",") > MOST_VALUES:
        raise _too_long(f"has more than {MOST_OBJECTS} objects or {MOST_VALUES} values")


def _require_json(content_type: str) -> None:
    kind = content_type.split(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise RefusalError(415, f"Content-Type is {kind or 'missing'}; send application/json.")


def _too_long(what: str) -> RefusalError:
    return _unread(TOO_LONG, f"The body {what}; send fewer tasks in one request.")


def _unread(status: int, message: str, retry_after: str | None = None) -> RefusalError:
    # The rest of the body is never read, so the connection cannot be used again.
    headers = {"Connection": "close"} | ({"Retry-After": retry_after} if retry_after else {})
    return RefusalError(status, message, headers)
