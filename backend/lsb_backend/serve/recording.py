"""Keeps the store's word about promotion in step with the operator's, which pods read from a file."""

import asyncio
import logging
from pathlib import Path

from lsb_backend.store.decisions import record
from lsb_backend.store.store import Store
from lsb_crds.decisions import Decisions
from lsb_crds.errors import UserError

log = logging.getLogger(__name__)
POLL = 2.0


class Recording:
    """Follows the file with the operator's decisions; a missing one holds none."""

    def __init__(self, store: Store, file: Path) -> None:
        self._store = store
        self._file = file
        self._recorded: str | None = None
        self._failure: str | None = None

    async def follow(self) -> None:
        """Write down what is new; what cannot be written is tried again, and said once."""
        try:
            text = await asyncio.to_thread(_content, self._file)
            if text == self._recorded:
                return
            await asyncio.to_thread(record, self._store, Decisions.read(text))
        except (UserError, OSError) as error:
            if str(error) != self._failure:
                log.error("Decisions are not written into the store, tried again until they are: %s", error)
            self._failure = str(error)
        else:
            self._recorded, self._failure = text, None


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
