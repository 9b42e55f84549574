"""Training as a child process, one at a time: started, watched, and started again when it falls."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lsb_backend.store.store import Store
from lsb_backend.training.lock import TrainingRunsError, training_lock
from lsb_backend.triggers.child import Outcome, run_child
from lsb_backend.triggers.failure import write_failure
from lsb_backend.triggers.request import Reason, Run, ask, unfinished
from lsb_backend.triggers.trainings import Progress
from lsb_crds.exit_codes import BAD_DATA

log = logging.getLogger(__name__)
FIRST_PAUSE = 10.0
LONGEST_PAUSE = 300.0
HELD_POLL = 2.0


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a training that fell is started again, and the first pause (seconds), doubled each time.

    `deadline`: seconds for all attempts of a training, from the first that this process starts; None: no end.
    """

    limit: int
    first_pause: float = FIRST_PAUSE
    deadline: int | None = None


class Launcher:
    """Runs what was asked for. `command` gives the command line of a run's training."""

    def __init__(
        self,
        store: Store,
        command: Callable[[Run], Sequence[str]],
        retries: Retries,
        on_finished: Callable[[Run], Awaitable[None]],
    ) -> None:
        self._store = store
        self._command = command
        self._retries = retries
        self._on_finished = on_finished
        self._asked = asyncio.Event()
        self.progress: Progress | None = None

    async def start(self, reason: Reason) -> str:
        """Ask for a training; the name of its run. The same one while it has not finished."""
        run = await asyncio.to_thread(ask, self._store, reason)
        self._asked.set()
        return run.name

    async def current(self) -> Progress | None:
        """The training that runs, if one does."""
        return self.progress

    async def run(self) -> None:
        """Do what is asked for, for ever; first what an earlier process left unfinished."""
        while True:
            # Cleared before the look, so that nothing asked for during a training is overlooked.
            self._asked.clear()
            run = await asyncio.to_thread(unfinished, self._store)
            if run is None:
                await self._asked.wait()
                continue
            async with self._showing(run):
                await self._train(run)
            await self._on_finished(run)

    async def _train(self, run: Run) -> None:
        while not run.finished:
            # Somebody else's training takes as long as it takes; only ours is ended.
            await self._until_free(run)
            try:
                async with asyncio.timeout(self._retries.deadline):
                    await self._attempts(run)
            except TimeoutError:
                if run.finished:
                    return
                message = f"not done within training.activeDeadlineSeconds ({self._retries.deadline} s)"
                log.error("Training %s is ended: %s", run.name, message)
                await self._give_up(run, message)

    async def _attempts(self, run: Run) -> None:
        """Try until it is done, given up, or somebody else trains in this store."""
        attempt = 1
        while not run.finished and holder(self._store) is None:
            self.progress = Progress(run=run.name, attempt=attempt)
            outcome = await self._attempt(run)
            if run.finished or holder(self._store) is not None:
                continue
            log.error("Training %s stopped (code %d): %s", run.name, outcome.code, outcome.message)
            if outcome.code == BAD_DATA or attempt > self._retries.limit:
                await self._give_up(run, outcome.message)
                return
            await self._pause(run, attempt, outcome.message)
            attempt += 1

    async def _give_up(self, run: Run, message: str) -> None:
        try:
            await asyncio.to_thread(write_failure, self._store, run, message)
        except OSError as error:
            # On a disk that is full nothing can be ended either; with room again the run goes on.
            log.error("The end of training %s cannot be written: %s", run.name, error)
            await self._pause(run, self._retries.limit + 1, message)

    async def _until_free(self, run: Run) -> None:
        """Wait for a training that somebody else started in this store, perhaps of this very run."""
        while (other := holder(self._store)) is not None:
            self.progress = Progress(run=run.name, phase="waiting", message=other)
            await asyncio.sleep(HELD_POLL)

    async def _pause(self, run: Run, attempt: int, message: str) -> None:
        seconds = min(self._retries.first_pause * 2 ** (attempt - 1), LONGEST_PAUSE)
        waits = f"again in {seconds:.0f} s, for it stopped: {message}"
        self.progress = Progress(run=run.name, attempt=attempt, phase="waiting", message=waits)
        await asyncio.sleep(seconds)

    async def _attempt(self, run: Run) -> Outcome:
        log.info("Training %s starts", run.name)
        return await run_child(
            self._command(run), self._take, lambda line: log.info("%s: %s", run.name, line)
        )

    def _take(self, line: str) -> None:
        event = _event(line)
        if event is None or self.progress is None:
            log.info("%s", line)
            return
        known = {name: event[name] for name in Progress.model_fields if event.get(name) is not None}
        with contextlib.suppress(ValueError):
            self.progress = Progress.model_validate({**self.progress.model_dump(), **known})

    @contextlib.asynccontextmanager
    async def _showing(self, run: Run) -> AsyncIterator[None]:
        self.progress = Progress(run=run.name)
        try:
            yield
        finally:
            self.progress = None


def holder(store: Store) -> str | None:
    """Who trains in this store, in words; None if nobody does."""
    try:
        with training_lock(store.training_lock, "none"):
            return None
    except TrainingRunsError as error:
        return str(error)


def _event(line: str) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
