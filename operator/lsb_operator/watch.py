"""kopf's part: it watches, and what comes is read before it is kopf's (see `listing`)."""

import asyncio
import itertools
import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import kopf

from lsb_crds.errors import UserError
from lsb_operator.clients import Clients
from lsb_operator.kinds import WATCHED
from lsb_operator.listing import Listing
from lsb_operator.names import FIELD_MANAGER, MANAGED_BY

SERVER_TIMEOUT = 290
"""Seconds after which a watch is asked for anew, so that a stuck one is noticed."""

RETRY = 5.0
"""Seconds after which a list or watch that failed is asked for again."""

LONGEST_END = 10.0
"""Seconds that the watches get to end."""

log = logging.getLogger(__name__)


class WatchError(UserError):
    """What the operator needs to see cannot be watched."""


def settings() -> kopf.OperatorSettings:
    """kopf's settings: nothing is written, what can be filtered is filtered by the API server."""
    chosen = kopf.OperatorSettings()
    chosen.scanning.disabled = True
    chosen.posting.enabled = False
    chosen.peering.standalone = True
    chosen.networking.request_timeout = 30
    chosen.networking.connect_timeout = 5
    chosen.networking.enforce_retry_after = True
    # Without end: an API server that is replaced may be away for minutes, and what is lacking may come.
    chosen.networking.error_backoffs = itertools.repeat(RETRY)
    chosen.watching.connect_timeout = 5
    chosen.watching.server_timeout = SERVER_TIMEOUT
    # Parsed, an object is ten times what is kept of it, and what is freed among the kept is not given back.
    chosen.watching.chunk_size = 100
    for kind in WATCHED:
        if kind.ours:
            selector = f"{MANAGED_BY}={FIELD_MANAGER}"
            chosen.watching.label_selectors[(kind.group, kind.version, kind.plural)] = selector
        if kind.fields:
            chosen.watching.field_selectors[(kind.group, kind.version, kind.plural)] = kind.fields
    return chosen


def registry() -> kopf.OperatorRegistry:
    """A handler for each kind, so that kopf watches it; none is ever called."""
    handlers = kopf.OperatorRegistry()
    for kind in WATCHED:
        kopf.on.event(kind.group, kind.version, kind.plural, registry=handlers, id=kind.name)(_never)
    return handlers


async def _never(**_: Any) -> None:
    return None


@asynccontextmanager
async def watching(
    clients: Clients, listing: Listing, namespaces: Sequence[str]
) -> AsyncIterator["asyncio.Task[None]"]:
    """Watch for as long as the context lasts; gives the task, which ends before only in failure: WatchError.

    kopf takes over SIGTERM and SIGINT, and ends every task that was started after it.
    """
    session = clients.watching(listing, max(1, len(namespaces)))
    handlers = registry()

    @kopf.on.login(registry=handlers)
    async def log_in(**_: Any) -> kopf.AiohttpSession:
        return kopf.AiohttpSession(server=clients.server, aiohttp_session=session)

    others = asyncio.all_tasks()
    stop = asyncio.Event()
    tasks = await kopf.spawn_tasks(
        registry=handlers,
        settings=settings(),
        clusterwide=not namespaces,
        namespaces=namespaces,
        standalone=True,
        stop_flag=stop,
    )
    watches = asyncio.create_task(kopf.run_tasks(tasks, ignored=others))
    try:
        yield watches
    finally:
        stop.set()
        await _end(watches)
        await session.close()
    error = watches.exception()
    if error is not None:
        raise WatchError(
            f"A watch failed: {error}. Are the rights and the definitions of this release there?"
        )


async def _end(watches: "asyncio.Task[None]") -> None:
    ended, _ = await asyncio.wait([watches], timeout=LONGEST_END)
    if not ended:
        # kopf can wait forever for a watch of its own that failed. Nothing is written any more by now.
        log.critical("the watches do not end: giving up")
        os._exit(1)
