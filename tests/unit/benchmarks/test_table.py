"""What a person sees of a run."""

from typing import Any

import pytest
from benchmarks.figures import Goal
from benchmarks.spread import spread
from benchmarks.table import described, figure, table, verdict
from rich.console import Console


@pytest.mark.parametrize(
    ("samples", "shown"),
    [
        ([0.1234], "0.123"),
        ([1.234], "1.23"),
        ([12.34], "12.3"),
        ([1234.4], "1234"),
        ([1.0, 2.0, 3.0], "2.00 (1.50-2.50)"),
    ],
)
def test_figures_have_the_digits_that_count(samples: list[float], shown: str) -> None:
    assert figure(spread(samples)) == shown


def test_a_verdict_names_each_goal(make: Any) -> None:
    goals = (
        Goal(of="figure", kind="at most", limit=300),
        Goal(of="ratio", kind="at least", limit=0.4),
        Goal(of="difference", kind="at most", limit=1.5),
    )
    shown = verdict(make.line(unit="ms", goals=goals))
    assert "MISSED" in shown
    assert "≤ 300 ms, ≥ 0.4x, ≤ 1.5 ms more" in shown
    assert "met" in verdict(make.line(unit="ms", goals=goals[:2]))
    assert verdict(make.line()) == ""


def test_every_line_has_its_baseline_beside_it(make: Any) -> None:
    console = Console(width=160)
    with console.capture() as captured:
        console.print(table([make.line(baseline_name="ultralytics as shipped"), make.line(None, "alone")]))
    (first, second) = (line for line in captured.get().splitlines() if "how quick" in line)
    assert "30.0 tasks/s" in first
    assert "10.0 tasks/s" in first
    assert "3.00" in first
    assert "ultralytics as shipped" in first
    assert "42.0 tasks/s" in second


def test_the_machine_is_described_in_one_line(make: Any) -> None:
    shown = described(make.report().machine)
    assert shown.startswith("one, 2 cores (quota 2), 24 GiB, avx2")
    assert "0123456789ab" in shown
    assert "\n" not in shown
