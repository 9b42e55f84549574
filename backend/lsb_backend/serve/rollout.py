"""Keeping the served version the one that should serve."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from lsb_backend.predict.slot import Served, Slot
from lsb_backend.runtime.errors import MissingRuntimeError
from lsb_backend.serve.metrics import Metrics
from lsb_backend.serve.status import Entry, Status
from lsb_backend.store.store import Store
from lsb_crds.errors import UserError

log = logging.getLogger(__name__)
POLL = 1.0
PATIENCE = timedelta(minutes=1)
"""How long a version may be missing from the store: a network file system shows what is new after a while."""


class BrokenVersionError(UserError):
    """The version that this process was started with cannot be served."""


class Rollout:
    """Watches the target and swaps it in, in place.

    `target` names the version to serve (None: there is none yet), and raises UserError while it cannot be
    had. `load` gives a model that is ready and warm, and may take its time: it is called in a thread. A
    version that cannot be loaded leaves the old one serving and is not tried again until the target changes.
    Where nothing serves, the promoted or the previous version does in its place; without `stand_in`, which
    is for whoever is told the version by somebody else, `follow` raises BrokenVersionError instead.
    """

    def __init__(
        self,
        store: Store,
        slot: Slot,
        load: Callable[[str], Served],
        status: Status,
        metrics: Metrics,
        target: Callable[[], str | None],
        on_swapped: Callable[[Served], None],
        poll: float = POLL,
        stand_in: bool = True,
    ) -> None:
        self._store = store
        self._slot = slot
        self._load = load
        self._status = status
        self._metrics = metrics
        self._target = target
        self._on_swapped = on_swapped
        self._poll = poll
        self._stand_in = stand_in
        self._tried: str | None = None

    async def until_served(self, patience: timedelta = PATIENCE) -> None:
        """Return when a model serves.

        Raises BrokenVersionError as `follow` does, and for a target that cannot be had for `patience`; where
        the store has no version at all it is a plain UserError, since that is no fault of the target.
        """
        while self._slot.current is None:
            await self.follow()
            wrong = self._status.store
            if wrong is not None and datetime.now(UTC) - wrong.at > patience:
                empty = not await asyncio.to_thread(self._store.versions)
                raise (UserError if empty else BrokenVersionError)(wrong.message)
            if self._slot.current is None:
                await asyncio.sleep(self._poll)

    async def follow(self) -> None:
        """Bring the served version to the target, if it is another one and was not tried already."""
        try:
            target = await asyncio.to_thread(self._target)
        except UserError as error:
            self._status.store = self._failure(self._status.store, str(error))
            return
        self._status.store = None
        self._status.target = target
        served = self._slot.current
        if target == self._tried:
            return
        self._tried = target
        self._status.swap_failed = None
        if target is not None and (served is None or served.version != target):
            failure = await self._swap(target)
            if self._slot.current is None and not self._stand_in:
                if isinstance(failure, MissingRuntimeError):
                    raise failure
                raise BrokenVersionError(f"Version {target} cannot be loaded: {failure}") from failure
            if self._slot.current is None:
                await self._serve_instead_of(target)

    async def _serve_instead_of(self, target: str) -> None:
        """After a start with a damaged target: annotators get what served before rather than nothing."""
        promotion = await asyncio.to_thread(self._store.promotion)
        other = promotion.previous if target == promotion.promoted else promotion.promoted
        if other is not None and other != target:
            await self._swap(other)

    async def _swap(self, target: str) -> Exception | None:
        """Serve `target`; what was in the way, if it does not now."""
        log.info("Version %s is being loaded", target)
        try:
            served = await asyncio.to_thread(self._load, target)
        except Exception as error:
            # Whatever a model file does to its runtime, the version that serves goes on serving.
            log.debug("Loading version %s failed", target, exc_info=error)
            self._status.swap_failed = self._failure(None, f"Version {target} cannot be loaded: {error}")
            self._metrics.swaps.labels("failed").inc()
            return error
        self._slot.swap(served)
        self._status.preparing = None
        self._metrics.swaps.labels("swapped").inc()
        self._metrics.serves(target)
        log.info("Version %s serves on %s", target, served.runtime.device)
        self._on_swapped(served)
        return None

    def _failure(self, known: Entry | None, message: str) -> Entry:
        """What is known already, or a new entry, which is logged."""
        if known is not None and known.message == message:
            return known
        served = self._slot.current
        log.error("%s; %s", message, f"version {served.version} serves on" if served else "nothing serves")
        return Entry(message=message)
