"""One replica reads the annotations for all of them, and tells the others through Redis what it has found.

Nothing in Redis is missed when it is lost: then each replica reads for itself, and a training that two of
them ask for has one name.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from redis.asyncio import Redis
from redis.asyncio.lock import Lock
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import LockError, RedisError

from lsb_backend.triggers.sharing import Counted, Turn

log = logging.getLogger(__name__)
TIMEOUT = 2.0
"""Seconds for one look into Redis."""
LEASE = 120.0
"""Seconds after which a reader that has died is no longer waited for."""
POLL = 0.5
HEARTBEAT = 10.0
Value = TypeVar("Value")


class SharedByRedis:
    """Shares through the Redis whose URL is in `url_file`, read again before each use.

    `key` tells this backend from others in the same Redis; `on_state` is told why Redis is not used (None: it
    is), whenever that changes.
    """

    def __init__(self, url_file: Path, key: str, on_state: Callable[[str | None], None]) -> None:
        self._url_file = url_file
        self._hints, self._counted, self._lease = (f"{key}:{name}" for name in ("hints", "counted", "lease"))
        self._on_state = on_state
        self._url = ""
        self._client: Redis | None = None
        self._failure: str | None = None

    async def run(self) -> None:
        """Notice that Redis goes and comes, for ever."""
        while True:
            await self._answer(lambda redis: redis.ping())
            await asyncio.sleep(HEARTBEAT)

    async def close(self) -> None:
        """Give the connections back."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def turn(self, hinted: bool, period: float) -> Turn:
        """See Sharing."""
        wanted = await self._answer(lambda redis: redis.incr(self._hints)) if hinted else None
        if hinted and wanted is None:
            return Turn()
        while True:
            turn = await self._answer(lambda redis: self._try(redis, wanted))
            # Without an answer it is up to this replica alone.
            if turn is None or turn.counted is not None or turn.lease is not None:
                return turn or Turn()
            await asyncio.sleep(POLL)

    async def done(self, turn: Turn, found: Counted | None, period: float) -> None:
        """See Sharing."""

        async def leave(redis: Redis) -> bool:
            if found is not None:
                kept = found.model_copy(update={"hints": turn.hints})
                await redis.set(self._counted, kept.model_dump_json(), px=max(1, int(period * 1000)))
            if turn.lease is not None:
                await _released(turn.lease)
            return True

        await self._answer(leave)

    async def _try(self, redis: Redis, wanted: int | None) -> Turn:
        """One look: it is done, or it is ours, or (neither) somebody else is at it."""
        done = await self._done_by_others(redis, wanted)
        if done is not None:
            return Turn(counted=done)
        lease = redis.lock(self._lease, timeout=LEASE, blocking=False)
        if not await lease.acquire():
            return Turn()
        # Whoever had it before may have finished between the look and the lease.
        done = await self._done_by_others(redis, wanted)
        if done is not None:
            await _released(lease)
            return Turn(counted=done)
        return Turn(hints=int(await redis.get(self._hints) or 0), lease=lease)

    async def _done_by_others(self, redis: Redis, wanted: int | None) -> Counted | None:
        text = await redis.get(self._counted)
        try:
            found = Counted.model_validate_json(text) if text else None
        except ValidationError:
            return None
        return found if found is not None and found.hints >= (wanted or 0) else None

    async def _answer(self, ask: Callable[[Redis], Awaitable[Value]]) -> Value | None:
        """What Redis answers; None, and the state says so, where it does not."""
        try:
            # Not redis-py's own time-out: on Python 3.11 a task that is cancelled while it sends would go on.
            async with asyncio.timeout(TIMEOUT):
                found = await ask(await self._connected())
        except (RedisError, OSError, ValueError) as error:
            self._say(f"Redis is not used, each replica counts for itself: {_words(error)}")
            return None
        self._say(None)
        return found

    async def _connected(self) -> Redis:
        url = (await asyncio.to_thread(self._url_file.read_text)).strip()
        if self._client is None or url != self._url:
            await self.close()
            never: Any = Retry(NoBackoff(), 0)
            self._client = Redis.from_url(
                url, socket_timeout=None, socket_connect_timeout=TIMEOUT, retry=never
            )
            self._url = url
        return self._client

    def _say(self, failure: str | None) -> None:
        if (failure is None) is (self._failure is None):
            return
        self._failure = failure
        self._on_state(failure)
        if failure is None:
            log.info("Redis answers: replicas share who counts")
        else:
            log.warning("%s", failure)


async def _released(lease: Lock) -> None:
    try:
        await lease.release()
    except LockError:
        # It had run out, and may be somebody else's by now.
        log.debug("The lease %s had run out", lease.name)


def _words(error: Exception) -> str:
    if isinstance(error, ValueError):
        # It would repeat the URL, and the password in it.
        return "the file with its URL holds none of the form redis://host:6379/0"
    if isinstance(error, TimeoutError):
        return f"no answer in {TIMEOUT:.0f} s"
    return (str(error).strip() or type(error).__name__).splitlines()[0]
