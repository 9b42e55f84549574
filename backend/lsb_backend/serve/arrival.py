"""When a new version has arrived everywhere: not before all that Label Studio reaches answers with it."""

import asyncio
import logging
import time
from collections.abc import Callable

import aiohttp

log = logging.getLogger(__name__)
IN_A_ROW = 5
PAUSE = 1.0
PATIENCE = 120.0
_TIMEOUT = aiohttp.ClientTimeout(total=5)


async def everywhere(
    url: str,
    version: str,
    current: Callable[[], bool],
    pause: float = PAUSE,
    patience: float = PATIENCE,
) -> None:
    """Return when the backend at `url` answers with `version` several times in a row.

    A Service spreads requests over old and new pods during a roll-out, and what an old one predicts is kept.
    Given up after `patience` seconds, for the address may be none that a pod reaches itself, and when
    `current` says that the version serves no more.
    """
    same, deadline = 0, time.monotonic() + patience
    # A connection that is kept would stay with one pod.
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        while current() and same < IN_A_ROW:
            if time.monotonic() > deadline:
                log.warning("%s did not answer with version %s alone for %.0f s", url, version, patience)
                return
            same = same + 1 if await _answers_with(session, url) == version else 0
            if same < IN_A_ROW:
                await asyncio.sleep(pause)


async def _answers_with(session: aiohttp.ClientSession, url: str) -> str | None:
    try:
        async with session.get(f"{url.rstrip('/')}/readyz", timeout=_TIMEOUT) as answer:
            content = await answer.json(content_type=None)
    except (aiohttp.ClientError, OSError, ValueError):
        return None
    found = content.get("model_version") if isinstance(content, dict) else None
    return found if isinstance(found, str) else None
