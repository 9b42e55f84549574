"""After a roll-out: new predictions for the tasks that nobody has labelled yet."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from lsb_backend.label_studio.client import LabelStudio
from lsb_backend.labels.shorten import shortened
from lsb_backend.predict.slot import Slot
from lsb_backend.serve.status import LONGEST_MESSAGE, Refreshing, Status
from lsb_crds.errors import UserError

log = logging.getLogger(__name__)
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 60.0
MOST_TRIES = 10
_NOTHING_STORED = "Label Studio stored no prediction it was asked for: does it reach this server in a second?"


class Refresh:
    """Asks Label Studio to fetch predictions, page by page; `rate` is in tasks a second.

    Where Label Studio refuses, it is asked again after `first_pause` seconds, doubled each time. So it is
    where it agrees and stores nothing, as when /health took longer than the second that it waits; but ten
    times at most, since a page whose pictures nobody can read looks the same.
    """

    def __init__(
        self,
        studio: LabelStudio,
        projects: Callable[[], Awaitable[Sequence[int]]],
        slot: Slot,
        status: Status,
        rate: float,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self._studio = studio
        self._projects = projects
        self._slot = slot
        self._status = status
        self._rate = rate
        self._first_pause = first_pause
        self._asked: set[int] = set()
        self._fruitless: dict[int, int] = {}

    async def run(self, version: str) -> None:
        """Refresh all projects for `version`; ends early when another version serves."""
        state = Refreshing(version=version)
        self._status.refreshing = state
        self._asked.clear()
        self._fruitless.clear()
        pause = self._first_pause
        while self._current(version) and not await self._went_through(version, state):
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        state.finished = self._current(version)
        log.info("Predictions of %d unlabelled tasks refreshed to version %s", state.asked, version)

    async def _went_through(self, version: str, state: Refreshing) -> bool:
        """Ask for what was not asked for yet; False where Label Studio refused, or stored nothing."""
        complete = True
        try:
            for project in await self._projects():
                complete &= await self._project(project, version, state)
        except UserError as error:
            message = shortened(str(error), LONGEST_MESSAGE)
            if message != state.message:
                log.warning("Predictions are not refreshed further for now: %s", error)
            state.message = message
            return False
        state.message = "" if complete else _NOTHING_STORED
        return complete

    async def _project(self, project: int, version: str, state: Refreshing) -> bool:
        """Whether all pages are done with."""
        complete = True
        async for page in self._studio.unlabelled(project):
            if not self._current(version):
                return True
            new = [task for task in page if task not in self._asked]
            if not new:
                continue
            await self._studio.retrieve_predictions(project, new)
            if await self._studio.any_predicted(project, version, new) or self._given_up(new):
                self._asked.update(new)
                state.asked = len(self._asked)
            else:
                complete = False
            await asyncio.sleep(len(new) / self._rate)
        return complete

    def _given_up(self, tasks: Sequence[int]) -> bool:
        """Whether tasks that nothing was stored for were asked for often enough."""
        self._fruitless[tasks[0]] = tries = self._fruitless.get(tasks[0], 0) + 1
        if tries == MOST_TRIES:
            log.warning(
                "%s Given up after %d tries: tasks %d to %d.", _NOTHING_STORED, tries, tasks[0], tasks[-1]
            )
        return tries >= MOST_TRIES

    def _current(self, version: str) -> bool:
        served = self._slot.current
        return served is not None and served.version == version
