"""Reads the changes that kopf asks for, before kopf does: it is left with how far they have come.

kopf takes half a millisecond for each change, and keeps something of every object that it was told of for as
long as that lives. Its part is what is hard about a watch: to ask for it again, from where it ended.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Any

from aiohttp import StreamReader

from lsb_operator.facts import Manifest

_CHANGES = ("ADDED", "MODIFIED", "DELETED")
EXPIRED = {"type": "ERROR", "object": {"kind": "Status", "code": HTTPStatus.GONE.value, "reason": "Expired"}}
"""Makes kopf list everything anew; any other error makes it end."""
_PAUSE = 1.0
"""Seconds before that, where the API server fails: it may fail again."""

log = logging.getLogger(__name__)
Seen = Callable[[str, Manifest], None]
"""Is told of each change: what happened, and the object."""


class Changes:
    """The content of a watch, for kopf: instead of changes, a bookmark of the last one of each chunk."""

    def __init__(self, content: StreamReader, seen: Seen) -> None:
        self._content = content
        self._seen = seen
        self._failure: Any = None

    def __getattr__(self, name: str) -> Any:
        # Whoever ends the connection has to do with the content itself.
        return getattr(self._content, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Pass on what is no change, such as that the version asked for is too old.

        What else goes wrong on the server's side has the same remedy, after a while.
        """
        rest = b""
        async for data in self._content.iter_chunked(size):
            *lines, rest = (rest + data).split(b"\n") if b"\n" in data else (rest + data,)
            if not lines:
                continue
            left = self._left(lines)
            if self._failure is not None:
                log.warning("a watch failed, and begins anew: %s", self._failure)
                await asyncio.sleep(_PAUSE)
            yield b"".join(left)

    def _left(self, lines: list[bytes]) -> list[bytes]:
        kept: list[bytes] = []
        version = None
        for line in filter(None, lines):
            change = json.loads(line)
            if change["type"] in _CHANGES:
                self._seen(change["type"], change["object"])
                version = change["object"]["metadata"]["resourceVersion"]
            elif _is_failure(change):
                self._failure = change["object"].get("message") or change["object"]
                return [*kept, *_bookmarks(version), json.dumps(EXPIRED).encode() + b"\n"]
            else:
                kept += [*_bookmarks(version), line + b"\n"]
                version = None
        return [*kept, *_bookmarks(version)]


def _is_failure(change: Manifest) -> bool:
    return bool(change["type"] == "ERROR" and change["object"].get("code") != HTTPStatus.GONE)


def _bookmarks(version: str | None) -> list[bytes]:
    if version is None:
        return []
    bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": version}}}
    return [json.dumps(bookmark).encode() + b"\n"]
