"""A port, and the HTTP server on it."""

import asyncio
import contextlib
import errno
import ipaddress
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from lsb_crds.errors import UserError

BACKLOG = 2048


def bind(host: str, port: int) -> socket.socket:
    """A listening socket on the port (0: a free one). Raises UserError, saying what to do, if that fails."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    # A name that no DNS could hold is not even asked for.
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"Cannot listen on {host}: {reason}; give another --host.") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # From here on connections wait in the backlog; a second server on the port is refused here and now.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise UserError(_why(host, port, error)) from error
    return listener


def reaches_this_machine_only(listener: socket.socket) -> bool:
    """Whether no other machine can connect, whatever the address was called."""
    return ipaddress.ip_address(listener.getsockname()[0]).is_loopback


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use by another program; end that one, or choose another: --port {port + 1}"
    if error.errno == errno.EACCES:
        return f"Port {port} is not open to you; choose one above 1023: --port 9090"
    return f"Cannot listen on {host} port {port}: {error.strerror}; give another --host or --port."


class Listener(uvicorn.Server):
    """Serves one application on one socket until it is told to stop, then finishes what it has begun."""

    def __init__(self, app: ASGIApp, listener: socket.socket, drain: int = 600) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                timeout_graceful_shutdown=drain,
            )
        )
        self._listener = listener
        self.answering = asyncio.Event()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Signals are the supervisor's: it has more than this to bring to an end.
        yield

    async def run_until_stopped(self) -> None:
        """Serve; ends after `stop()`, when the last answer is out."""
        await self.serve(sockets=[self._listener])

    def stop(self) -> None:
        """Accept nothing new and finish what was begun."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by the server itself, when it begins to answer."""
        await super().startup(sockets)
        self.answering.set()
