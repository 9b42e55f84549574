"""Lines and runs as short as a test wants to say them."""

from typing import Any

import pytest
from benchmarks.figures import Line, Machine, Report
from benchmarks.spread import spread


class Make:
    """What a run writes."""

    def line(self, ratio: float | None = 3.0, key: str = "predict", **fields: Any) -> Line:
        """A line whose baseline is 10, and whose figure is `ratio` times that."""
        figure = 10 * ratio if ratio is not None else 42.0
        given = {
            "key": key,
            "what": f"how quick {key} is",
            "unit": "tasks/s",
            "better": "higher",
            "figure": spread([figure]),
            **({"baseline": spread([10.0]), "ratio": spread([ratio])} if ratio is not None else {}),
        }
        return Line(**{**given, **fields})

    def report(self, *lines: Line, quick: bool = False, processor: str = "one") -> Report:
        """A run on some machine."""
        machine = Machine(
            processor=processor,
            flags=["avx2"],
            cores=2,
            quota=2,
            memory_gib=24,
            system="Linux",
            python="3.11",
            libraries={},
            commit="0123456789ab",
            load=0.1,
        )
        return Report(
            measured_at="2026-01-01T00:00:00+00:00", quick=quick, machine=machine, lines=list(lines)
        )


@pytest.fixture
def make() -> Make:
    return Make()
