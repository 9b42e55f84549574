"""Schedules: the five fields of cron as one pattern, so that the API server can check them too."""

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from lsb_crds.text import Form

_MINUTE = "[0-5]?[0-9]"
_HOUR = "([01]?[0-9]|2[0-3])"
_DAY = "(0?[1-9]|[12][0-9]|3[01])"
_MONTH = "(0?[1-9]|1[0-2]|(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))"
_WEEKDAY = "([0-6]|(?i:sun|mon|tue|wed|thu|fri|sat))"


def _field(value: str) -> str:
    item = rf"(\*|{value}(-{value})?)(/[1-9][0-9]?)?"
    return f"{item}(,{item})*"


_PATTERN = "^" + " +".join(map(_field, (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY))) + "$"


def _known_zone(name: str) -> str:
    # Only the machine's own table knows every zone; the API server checks the form alone.
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        meaning = "a time zone of the IANA database, such as 'Europe/Berlin'"
        raise PydanticCustomError("form", "must be {meaning}", {"meaning": meaning}) from None
    return name


Schedule = Annotated[
    str,
    Form(
        _PATTERN,
        "five cron fields (minute 0-59, hour 0-23, day 1-31, month 1-12, weekday 0-6), such as '0 2 * * *'",
        256,
    ),
]
TimeZone = Annotated[
    str,
    Form(
        r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9][A-Za-z0-9_+-]*)*$",
        "a time zone of the IANA database, such as 'Europe/Berlin'",
        64,
    ),
    AfterValidator(_known_zone),
]
