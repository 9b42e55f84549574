"""How long a pod takes from the start of its process to the first prediction it can give."""

import time

from benchmarks.bed.bed import Bed
from benchmarks.bed.rounds import interleaved
from benchmarks.figures import Goal, Line
from benchmarks.spread import paired, spread
from serving import ServingProcess

_PAUSE = 0.005  # seconds


def measure(bed: Bed) -> list[Line]:
    """Seconds until /readyz says yes, on a store that has been served from before."""
    servers = {runtime: bed.prepared(f"start-{runtime}", runtime) for runtime in ("openvino", "torch")}
    taken = interleaved(
        {
            "openvino": lambda _: _seconds(servers["openvino"]),
            "torch": lambda _: _seconds(servers["torch"]),
        },
        bed.amount.starts,
    )
    ours, baseline = taken["openvino"], taken["torch"]
    return [
        Line(
            key="start/openvino",
            what="start of the process to ready, openvino f32",
            unit="s",
            better="lower",
            figure=spread(ours),
            baseline=spread(baseline),
            baseline_name="the torch runtime",
            ratio=paired(ours, baseline),
            goals=(Goal(of="figure", kind="at most", limit=2),),
            tolerance=0.2,
        )
    ]


def _seconds(backend: ServingProcess) -> float:
    began = time.perf_counter()
    backend.start(wait=False)
    try:
        while not backend.ready():
            time.sleep(_PAUSE)
        return time.perf_counter() - began
    finally:
        backend.stop()
