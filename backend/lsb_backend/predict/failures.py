"""The tasks of one request that are not predicted: the first are told one by one, all are counted."""

import logging
from collections import Counter

from lsb_crds.errors import UserError

log = logging.getLogger(__name__)
SHOWN = 5
UNEXPECTED = "unexpected"


class Failures:
    """What the log is told of one request, however many tasks it has."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()

    def note(self, task_id: int | None, error: Exception, reason: str) -> None:
        """Count a failure under `reason`, a word; one that nobody foresaw is logged with its traceback."""
        self.reasons[reason] += 1
        if self.reasons.total() > SHOWN:
            return
        if isinstance(error, UserError):
            log.warning("Task %s is not predicted: %s", task_id, error)
        else:
            log.error("Task %s is not predicted, for a reason that nobody foresaw", task_id, exc_info=error)

    def summarize(self, tasks: int) -> None:
        """Say how many of the request's `tasks` failed, unless each failure was told already."""
        failed = self.reasons.total()
        if failed > SHOWN:
            reasons = ", ".join(f"{reason} {number}" for reason, number in self.reasons.most_common())
            log.warning("%d of %d tasks of a request are not predicted: %s", failed, tasks, reasons)
