"""Whether a line has met its goals."""

from typing import Any

import pytest
from benchmarks.figures import Goal, Line, Report
from benchmarks.spread import spread


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        (Goal(of="ratio", kind="at least", limit=2.2), True),
        (Goal(of="ratio", kind="at least", limit=3.1), False),
        (Goal(of="ratio", kind="at most", limit=3), True),
        (Goal(of="figure", kind="at most", limit=29.9), False),
        (Goal(of="figure", kind="at least", limit=30), True),
        (Goal(of="difference", kind="at most", limit=20), True),
        (Goal(of="difference", kind="at most", limit=19), False),
    ],
)
def test_a_goal_looks_at_what_it_says(make: Any, goal: Goal, met: bool) -> None:
    assert make.line(ratio=3, goals=(goal,)).met is met


def test_every_goal_must_be_met(make: Any) -> None:
    good, bad = (Goal(of="ratio", kind="at least", limit=limit) for limit in (1, 5))
    assert make.line(goals=(good, bad)).met is False
    assert make.line(goals=(good,)).met is True
    assert make.line().met is None


def test_medians_decide_and_not_lucky_rounds(make: Any) -> None:
    goal = Goal(of="ratio", kind="at least", limit=3)
    assert make.line(ratio=1, goals=(goal,)).model_copy(update={"ratio": spread([9, 1, 2])}).met is False


def test_a_run_is_read_back_as_it_was_written(make: Any) -> None:
    line: Line = make.line(goals=(Goal(of="ratio", kind="at least", limit=2),), details={"threads": 2})
    report: Report = make.report(line)
    assert Report.model_validate_json(report.model_dump_json()) == report
    assert '"met":true' in report.model_dump_json()
