"""Making version 0 of an empty store in a process of its own: it needs torch, and the server does not."""

import json
import logging
from collections.abc import Sequence

from lsb_backend.serve.status import Status
from lsb_backend.store.store import Store
from lsb_backend.triggers.child import run_child
from lsb_crds.errors import UserError

log = logging.getLogger(__name__)


async def prepare(store: Store, task: str, command: Sequence[str], status: Status) -> None:
    """Run `command` if the store has no version for `task`; its messages go to `status`. Raises UserError."""
    if _has_version(store, task):
        status.preparing = "loading"
        return
    log.info("%s has no version for model.task %s: the first is being prepared", store.root, task)
    status.preparing = "version 0 is being prepared"

    def show(line: str) -> None:
        status.preparing = _message(line)
        log.info("prepare: %s", status.preparing)

    outcome = await run_child(command, show, lambda line: log.info("prepare: %s", line))
    if outcome.code != 0:
        raise UserError(f"Version 0 could not be prepared: {outcome.message}")
    status.preparing = "loading"


def _has_version(store: Store, task: str) -> bool:
    version = store.promotion().promoted
    # A backend may begin as a dummy and become something else later.
    return version is not None and store.card(version).task == task


def _message(line: str) -> str:
    try:
        return str(json.loads(line)["message"])
    except (ValueError, KeyError, TypeError):
        return line
