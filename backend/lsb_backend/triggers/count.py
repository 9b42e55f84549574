"""Counting the tasks annotated since the last training, as Label Studio itself tells them."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from lsb_backend.dataset.annotations import changed
from lsb_backend.store.store import Store
from lsb_backend.triggers.sharing import Alone, Counted, Sharing
from lsb_crds.errors import UserError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: `settle` after a webhook for those that follow, `period` without one, `again` after a count
    that failed; a count is followed by at least `rest` times its own duration without another."""

    settle: float = 2.0
    period: float = 300.0
    again: float = 30.0
    rest: float = 10.0


@dataclass(frozen=True, slots=True)
class Count:
    """Tasks that are annotated, and those of them whose annotation is not the one last learned from."""

    annotated: int
    changed: int


class AnnotationCount:
    """Reads the projects after a hint and every few minutes, and tells `on_count` what is there.

    Nothing is remembered between two counts, so a webhook that was lost or a restart loses nothing.
    `read` gives the digest of each annotated task by its key (see `digests`) and raises UserError while Label
    Studio cannot be read, as `on_count` does while what follows from the count cannot be done. With `sharing`
    one of several replicas counts; the others give what it found to `on_shared`.
    """

    def __init__(
        self,
        store: Store,
        read: Callable[[], Awaitable[Mapping[str, str]]],
        on_count: Callable[[Count], Awaitable[None]],
        timing: Timing | None = None,
        sharing: Sharing | None = None,
        on_shared: Callable[[Count], None] = lambda found: None,
    ) -> None:
        self._store = store
        self._read = read
        self._on_count = on_count
        self._timing = timing or Timing()
        self._sharing = sharing or Alone()
        self._on_shared = on_shared
        self._hint = asyncio.Event()
        self._failing = False

    def hint(self) -> None:
        """Something may have changed."""
        self._hint.set()

    async def run(self) -> None:
        """Count for ever."""
        while True:
            await self._take_turn()
            await self._until_hint()

    async def _until_hint(self) -> None:
        period = self._timing.again if self._failing else self._timing.period
        try:
            async with asyncio.timeout(period):
                await self._hint.wait()
        except TimeoutError:
            return
        await asyncio.sleep(self._timing.settle)

    async def _take_turn(self) -> None:
        # Cleared before the read: a hint during it is about something the read may have missed.
        hinted = self._hint.is_set() or self._failing
        self._hint.clear()
        turn = await self._sharing.turn(hinted, self._timing.period)
        if turn.counted is not None:
            self._on_shared(Count(turn.counted.annotated, turn.counted.changed))
            return
        started, told = time.monotonic(), None
        try:
            found = await self._count()
            if found is not None:
                told = Counted(hints=turn.hints, annotated=found.annotated, changed=found.changed)
        finally:
            await self._sharing.done(turn, told, self._timing.period)
        await asyncio.sleep((time.monotonic() - started) * self._timing.rest)

    async def _count(self) -> Count | None:
        """Count, and act on it; None where that failed."""
        try:
            annotated = await self._read()
            learned = await asyncio.to_thread(read_learned, self._store)
            found = count(annotated, learned)
            await self._on_count(found)
        except UserError as error:
            if not self._failing:
                log.warning("Annotations cannot be counted, tried again until they can: %s", error)
            self._failing = True
            return None
        if self._failing:
            log.info("Annotations can be counted again")
        self._failing = False
        return found


def read_learned(store: Store) -> dict[str, str]:
    """Digest by `<project>:<task>` of what the last training was given; empty before the first."""
    try:
        return dict(json.loads(store.learned_file.read_bytes()))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f"{store.learned_file}: unreadable ({error}): delete it to count every task anew"
        ) from error


def count(annotated: Mapping[str, str], learned: Mapping[str, str]) -> Count:
    """Compare what is annotated with what was learned, both as digests by task."""
    return Count(len(annotated), len(changed(annotated, learned)))
