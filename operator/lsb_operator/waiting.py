"""Trainings that have not begun: which one is next, and which need not begin at all. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lsb_crds.automatic import AUTOMATIC
from lsb_operator.attempt import Standing
from lsb_operator.facts import TrainingFacts

MOST_MANUAL = 10
"""Trainings that people asked for and that may wait at once."""
_FIRST_REST = timedelta(minutes=5)
_LONGEST_REST = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Line:
    """The trainings that may begin, first one first, and how those stand that may not."""

    order: tuple[TrainingFacts, ...]
    out: Mapping[str, Standing]


def by_age(training: TrainingFacts) -> tuple[datetime, str]:
    """Sorts the oldest first; of two of the same second, by name."""
    return training.created_at or datetime.max.replace(tzinfo=UTC), training.name


def line_up(unstarted: Sequence[TrainingFacts], wanted_prepare: str) -> Line:
    """Put those that have not begun in line: of automatic ones the oldest, of manual ones ten."""
    ordered = sorted(unstarted, key=by_age)
    automatic = [one for one in ordered if one.reason in AUTOMATIC]
    manual = [one for one in ordered if one.reason not in (*AUTOMATIC, "Prepare")]
    preparing = [one for one in ordered if one.reason == "Prepare"]
    out: dict[str, Standing] = {}
    for later in automatic[1:]:
        message = f"training {automatic[0].name} has not begun yet and learns the same"
        out[later.name] = Standing("Superseded", "Superseded", message)
    for later in manual[MOST_MANUAL:]:
        message = f"{MOST_MANUAL} trainings wait already: ask again when one of them has ended"
        out[later.name] = Standing("Failed", "QueueFull", message)
    keep = next((one for one in preparing if one.name == wanted_prepare), None) or next(iter(preparing), None)
    for other in preparing:
        if keep is not None and other is not keep:
            out[other.name] = Standing(
                "Superseded", "Superseded", f"training {keep.name} prepares the first version"
            )
    return Line(tuple(one for one in ordered if one.name not in out), out)


def rests_until(training: TrainingFacts, trainings: Sequence[TrainingFacts]) -> datetime | None:
    """Until when a training that annotations started waits because those before it failed; None: not at all.

    What failed may fail again: five minutes after one failure, doubled with each, and six hours at most.
    """
    if training.reason != "Annotations":
        return None
    ended = [one for one in trainings if one.finished_at is not None and one.reason != "Prepare"]
    ended = [one for one in ended if one.phase in ("Succeeded", "Rejected", "AwaitingApproval", "Failed")]
    failures = 0
    for one in sorted(ended, key=lambda one: (str(one.finished_at), one.name), reverse=True):
        if one.phase != "Failed":
            break
        failures += 1
    if failures == 0:
        return None
    last: datetime = max(one.finished_at for one in ended if one.finished_at is not None)
    return last + min(_FIRST_REST * (1 << min(failures - 1, 10)), _LONGEST_REST)
