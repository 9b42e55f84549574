"""Getting in touch with Label Studio, however long it takes to be there."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from lsb_backend.serve.status import Entry, Status
from lsb_crds.errors import UserError

log = logging.getLogger(__name__)
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 60.0


async def connect(
    check: Callable[[], Awaitable[None]],
    register: Callable[[], Awaitable[None]] | None,
    status: Status,
    first_pause: float = FIRST_PAUSE,
) -> None:
    """Check the token, then register unless `register` is None; each is repeated until it succeeds.

    Both raise UserError in plain words, which are logged once and kept in `status`.
    """

    def say_studio(message: str | None) -> None:
        status.label_studio = Entry(message=message) if message else None

    def say_registration(message: str | None) -> None:
        status.registration = Entry(message=message) if message else None

    await _until_done(check, say_studio, first_pause)
    log.info("Label Studio answers, and knows the token")
    if register is not None:
        await _until_done(register, say_registration, first_pause)


async def _until_done(
    work: Callable[[], Awaitable[None]], say: Callable[[str | None], None], pause: float
) -> None:
    said = None
    while True:
        try:
            await work()
        except UserError as error:
            say(str(error))
            if str(error) != said:
                log.warning("%s (tried again until it works)", error)
            said = str(error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        else:
            say(None)
            return
