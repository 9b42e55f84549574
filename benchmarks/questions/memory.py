"""What serving holds in memory, at the most, while it predicts."""

import os

from benchmarks.bed.bed import Bed
from benchmarks.bed.callers import Caller, Server
from benchmarks.bed.memory import Peak, resident
from benchmarks.bed.rounds import interleaved
from benchmarks.figures import Goal, Line
from benchmarks.spread import paired, spread


def measure(bed: Bed) -> list[Line]:
    """The peak of a fresh server that answers two requests full of tasks, by runtime."""
    at_rest: dict[str, list[float]] = {"openvino": [], "torch": []}

    def peak(runtime: str, number: int) -> float:
        with bed.serving(f"memory-{runtime}", runtime) as backend:
            with Peak(backend.pid) as most:
                caller = Caller(Server(backend.url, bed.label_config))
                for request in range(2):
                    tasks = bed.amount.tasks
                    caller.predict(bed.body(f"memory-{runtime}-{number}-{request}"), tasks)
            at_rest[runtime].append(resident(backend.pid))
        return most.mebibytes

    rounds = min(bed.amount.rounds, 3)
    taken = interleaved(
        {
            "openvino": lambda number: peak("openvino", number),
            "torch": lambda number: peak("torch", number),
        },
        rounds,
    )
    ours, baseline = taken["openvino"], taken["torch"]
    return [
        Line(
            key="memory/openvino",
            what="memory, serving, openvino f32: the peak of two full requests",
            unit="MiB",
            better="lower",
            figure=spread(ours),
            baseline=spread(baseline),
            baseline_name="the torch runtime",
            ratio=paired(ours, baseline),
            goals=(
                Goal(of="figure", kind="at most", limit=_LIMIT),
                Goal(of="ratio", kind="at most", limit=0.4),
            ),
            details={
                "after the requests, MiB": round(spread(at_rest["openvino"]).median),
                "torch after the requests, MiB": round(spread(at_rest["torch"]).median),
                "malloc arenas": os.environ.get("MALLOC_ARENA_MAX", "default"),
            },
        )
    ]


# 300 MB, as a container's limit would be written.
_LIMIT = 300e6 / 2**20
