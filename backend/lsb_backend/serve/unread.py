"""Answering a request whose body is not read to its end."""

import asyncio
import contextlib

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

LINGER = 2.0
"""Seconds for which what still arrives is thrown away."""


class UnreadResponse(JSONResponse):
    """An answer that reaches a caller who is still sending.

    Closing a connection with unread bytes in it resets it, and a reset overtakes the answer: the caller would
    see a broken connection instead of the reason. So the answer goes out first, and the end comes later.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all of the answer but its end, let the caller stop, and end."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER):
                while (await receive()).get("more_body"):
                    pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})
