"""How long an annotator waits for one task while others wait too."""

import contextlib

from benchmarks.bed.bed import Bed
from benchmarks.bed.callers import at_once
from benchmarks.bed.rounds import interleaved
from benchmarks.figures import Goal, Line
from benchmarks.spread import paired, percentile, spread

CALLERS = 8
_MILLISECONDS = 1000


def measure(bed: Bed) -> list[Line]:
    """The p99 of eight callers at once, and of one alone."""
    calls = bed.amount.calls
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(bed.measured("openvino", "f32"))

        def alone(number: int) -> float:
            taken = at_once(server, [bed.single_bodies(f"alone-{number}", calls)])
            return percentile(taken, 50) * _MILLISECONDS

        def crowded(number: int) -> float:
            bodies = [bed.single_bodies(f"crowd-{number}-{caller}", calls) for caller in range(CALLERS)]
            return percentile(at_once(server, bodies), 99) * _MILLISECONDS

        taken = interleaved({"alone": alone, "crowd": crowded}, bed.amount.rounds)
    whose = bed.options.url or "openvino f32"
    return [
        Line(
            key="latency/url" if bed.options.url else "latency/openvino-f32",
            what=f"single task, {CALLERS} callers at once, p99, {whose}",
            unit="ms",
            better="lower",
            figure=spread(taken["crowd"]),
            baseline=spread(taken["alone"]),
            baseline_name="one caller alone, p50",
            ratio=paired(taken["crowd"], taken["alone"]),
            goals=(Goal(of="ratio", kind="at most", limit=10),),
            tolerance=0.3,
        )
    ]
