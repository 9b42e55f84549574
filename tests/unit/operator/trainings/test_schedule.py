"""When a schedule is due, on both sides of every jump of a clock."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsb_crds.cron import _PATTERN as FORM
from lsb_operator.schedule import Cron, is_due, next_due

BERLIN = "Europe/Berlin"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "zone", "after", "due"),
    [
        ("0 2 * * *", "Etc/UTC", "2026-03-01T01:59", "2026-03-01T02:00"),
        ("0 2 * * *", "Etc/UTC", "2026-03-01T02:00", "2026-03-02T02:00"),
        ("0 2 * * *", BERLIN, "2026-01-10T00:00", "2026-01-10T01:00"),
        ("0 2 * * *", BERLIN, "2026-07-10T00:00", "2026-07-11T00:00"),
        # 29 March 2026: 02:00 to 03:00 are skipped, and what was due then comes an hour later on the wall.
        ("30 2 * * *", BERLIN, "2026-03-28T12:00", "2026-03-29T01:30"),
        ("30 2 * * *", BERLIN, "2026-03-29T01:30", "2026-03-30T00:30"),
        # 25 October 2026: 02:30 is shown twice, at 00:30 and at 01:30 UTC; the first one counts.
        ("30 2 * * *", BERLIN, "2026-10-24T12:00", "2026-10-25T00:30"),
        ("30 2 * * *", BERLIN, "2026-10-25T00:30", "2026-10-26T01:30"),
        # A skip before midnight: in Scoresbysund on 30 March 2024 the clock went from 23:59 to 01:00.
        ("30 0 * * *", "America/Scoresbysund", "2024-03-30T12:00", "2024-03-31T01:30"),
        ("*/15 9-17 * * mon-fri", "Etc/UTC", "2026-11-20T17:45", "2026-11-23T09:00"),
        ("0 0 1 1 *", "Etc/UTC", "2026-06-01T00:00", "2027-01-01T00:00"),
        ("0 0 29 feb *", "Etc/UTC", "2096-03-01T00:00", "2104-02-29T00:00"),
        # Both kinds of day are restricted: either one suffices.
        ("0 0 13 * fri", "Etc/UTC", "2026-11-10T00:00", "2026-11-13T00:00"),
        ("0 0 13 * fri", "Etc/UTC", "2026-11-13T00:00", "2026-11-20T00:00"),
        ("0 22-2 * * *", "Etc/UTC", "2026-11-10T23:30", "2026-11-11T00:00"),
        ("0 22-2 * * *", "Etc/UTC", "2026-11-10T02:00", "2026-11-10T22:00"),
        ("5/20 * * * *", "Etc/UTC", "2026-11-10T02:26", "2026-11-10T02:45"),
        ("0 0 * * Sat-Mon", "Etc/UTC", "2026-11-17T00:00", "2026-11-21T00:00"),
    ],
)
def test_the_next_time(expression: str, zone: str, after: str, due: str) -> None:
    assert next_due(expression, zone, utc(after)) == utc(due)


def test_a_day_that_no_month_has_never_comes() -> None:
    assert next_due("0 0 31 2,4,6 *", "Etc/UTC", utc("2026-01-01T00:00")) is None


def test_however_many_times_were_missed_one_training_is_due() -> None:
    asked = utc("2026-11-01T02:00")
    now = utc("2026-11-08T15:00")
    assert is_due("0 2 * * *", "Etc/UTC", asked, now)
    assert not is_due("0 2 * * *", "Etc/UTC", now, now)


FIELDS = st.tuples(
    st.sampled_from(["0", "*", "*/7", "59", "10-20/3"]),
    st.sampled_from(["2", "*", "0", "23", "1,2,3"]),
    st.sampled_from(["*", "1", "31", "13"]),
    st.sampled_from(["*", "mar", "10", "1-6"]),
    st.sampled_from(["*", "sun", "1-5"]),
).map(" ".join)
ZONES = st.sampled_from(
    [BERLIN, "Etc/UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo"]
)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


@settings(max_examples=200, deadline=None)
@given(FIELDS, ZONES, MOMENTS)
def test_the_next_time_is_on_the_wall_and_nothing_is_between(
    expression: str, zone: str, after: datetime
) -> None:
    assert re.fullmatch(FORM, expression)
    due = next_due(expression, zone, after)
    if due is None:
        return
    assert due > after
    cron = Cron.parse(expression)
    wall = due.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    # A skipped time comes as much later as the clock jumped.
    jumps = (timedelta(0), timedelta(minutes=30), timedelta(hours=1))
    meant = [wall - jump for jump in jumps]
    assert any(cron.on(one.date()) and one.time() in set(cron.times()) for one in meant)
    middle = after + (due - after) / 2
    assert next_due(expression, zone, middle) == due
