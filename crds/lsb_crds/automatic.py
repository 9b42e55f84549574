"""Trainings that nobody waits for in person: what they are called, so that asking twice is asking once."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from lsb_crds.results import TrainingPhase, TrainingReason

AUTOMATIC: Final[tuple[TrainingReason, ...]] = ("Button", "Annotations", "Schedule")
"""Reasons of trainings of which one learns what all of them would."""
UNDECIDED: Final[tuple[TrainingPhase, ...]] = ("Pending", "Queued", "Running", "Evaluating")
"""Phases in which a training has not ended; one without a phase was only just asked for."""


class Known(NamedTuple):
    """What there is to know of a training for this."""

    name: str
    reason: str
    phase: str | None

    @property
    def ended(self) -> bool:
        """Whether nothing more is done for it."""
        return self.phase is not None and self.phase not in UNDECIDED


def automatic_name(backend: str, trainings: Iterable[Known]) -> str:
    """The name of the next automatic training of `backend`, of which `trainings` are all there are."""
    return f"{backend}-after-{next_number(backend, trainings)}"


def next_number(backend: str, trainings: Iterable[Known]) -> int:
    """The number in that name: how many are finished.

    Trainings that were pruned are counted by the number of those that followed them.
    """
    done = [one for one in trainings if one.ended and one.reason != "Prepare"]
    pattern = re.compile(rf"{re.escape(backend)}-after-(\d+)")
    numbers = [int(found[1]) for one in done if (found := pattern.fullmatch(one.name))]
    finished = sum(one.phase != "Superseded" for one in done)
    return max(finished, *(number + 1 for number in numbers)) if numbers else finished
