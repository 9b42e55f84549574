"""When a schedule is due: cron on the clock of a wall in the schedule's time zone."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# Days: 29 February is at most eight years away (2096 to 2104).
_FARTHEST = 366 * 8 + 2


@dataclass(frozen=True, slots=True)
class Cron:
    """The values of each field that a cron expression admits; Sunday is 0."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @classmethod
    def parse(cls, expression: str) -> "Cron":
        """Read an expression of the form that the contract admits (`lsb_crds.cron`)."""
        minutes, hours, days, months, weekdays = expression.split()
        return cls(
            minutes=_values(minutes, 0, 59),
            hours=_values(hours, 0, 23),
            days=_values(days, 1, 31),
            months=_values(months, 1, 12, _MONTHS),
            weekdays=_values(weekdays, 0, 6, _WEEKDAYS),
        )

    def on(self, day: date) -> bool:
        """Whether any time of the day is due: where both kinds of day are restricted, either one suffices."""
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        either = len(self.days) < 31 and len(self.weekdays) < 7
        return day.month in self.months and (in_month or in_week if either else in_month and in_week)

    def times(self) -> Iterator[time]:
        """The times of such a day."""
        return (time(hour, minute) for hour, minute in itertools.product(self.hours, self.minutes))


def next_due(expression: str, time_zone: str, after: datetime) -> datetime | None:
    """The first time after `after` (exclusive, in UTC) that the expression names; None if it never comes.

    Each time on the wall counts once a day. One that the clock skips in spring comes as much later as the
    clock jumps, and of one that it shows twice in autumn the first is meant.
    """
    cron, zone = Cron.parse(expression), ZoneInfo(time_zone)
    # A time that the clock skips before midnight comes on the next day's wall.
    start = after.astimezone(zone).date() - timedelta(days=1)
    for day in (start + timedelta(days=number) for number in range(_FARTHEST)):
        if cron.on(day):
            instants = (datetime.combine(day, at, zone).astimezone(UTC) for at in cron.times())
            found = min((instant for instant in instants if instant > after), default=None)
            if found is not None:
                return found
    return None


def is_due(expression: str, time_zone: str, since: datetime, now: datetime) -> bool:
    """Whether a time has come since `since`. However many have come: it is one training that is due."""
    due = next_due(expression, time_zone, since)
    return due is not None and due <= now


def _values(field: str, low: int, high: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """The numbers that one field admits: `*`, `2`, `mon-fri`, `*/15`, `5/20` (from 5 on), and lists of these.

    A range that ends before it begins goes over the end: `22-2` is 22, 23, 0, 1, 2.
    """
    return frozenset(
        value for item in field.split(",") for value in _item(item, low, high, _numbers(names, low))
    )


def _numbers(names: tuple[str, ...], low: int) -> dict[str, int]:
    return {name: number for number, name in enumerate(names, start=low)}


def _item(item: str, low: int, high: int, names: dict[str, int]) -> list[int]:
    span, _, step = item.partition("/")
    begin, _, end = span.partition("-")
    if begin == "*":
        first, last = low, high
    else:
        first = _number(begin, names)
        last = _number(end, names) if end else high if step else first
    reach = last - first if last >= first else last - first + high - low + 1
    return [(first - low + offset) % (high - low + 1) + low for offset in range(0, reach + 1, int(step or 1))]


def _number(text: str, names: dict[str, int]) -> int:
    return names[text.lower()] if text.lower() in names else int(text)
