"""Predictions for a request full of tasks: against ultralytics as it comes, and against the limit."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.bed.bed import Bed
from benchmarks.bed.callers import Caller, Server
from benchmarks.bed.rounds import interleaved, say
from benchmarks.bed.worker import Worker
from benchmarks.figures import Goal, Line
from benchmarks.machine import machine
from benchmarks.spread import paired, spread

PRECISIONS = ("f32", "auto")
_GOALS = {"f32": 2.2, "auto": 4.5}
_OF_THE_LIMIT = 0.85
_SHIPPED = "ultralytics as shipped, task by task: fetch, decode, predict"
_LIMIT = "the limit: decode the same bytes and compute the network, best arrangement of threads"

Side = Callable[[int], float]


def measure(bed: Bed) -> list[Line]:
    """Tasks a second with openvino in both precisions."""
    with contextlib.ExitStack() as stack:
        sides = dict(_sides(bed, stack))
        taken = interleaved(sides, bed.amount.rounds)
    lines = []
    for precision in PRECISIONS:
        key, ours = f"predict/openvino-{precision}", taken[precision]
        what, again = (
            f"predict, openvino {precision}, all tasks in one request",
            f"the same, openvino {precision}",
        )
        lines += [
            _line(f"{key}/ultralytics", what, _SHIPPED, ours, taken["ultralytics"], *_goals(precision)),
            _line(f"{key}/limit", again, _LIMIT, ours, taken[f"limit {precision}"], _at_least(_OF_THE_LIMIT)),
        ]
    return lines


def measure_other(bed: Bed) -> list[Line]:
    """Tasks a second of a server that somebody else runs."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(bed.measured("", ""))
        sides = {"server": asking(bed, server, "server"), "ultralytics": shipped(bed, stack)}
        taken = interleaved(sides, bed.amount.rounds)
    what = f"{bed.amount.tasks} tasks, {server.url}"
    return [_line("predict/url", what, _SHIPPED, taken["server"], taken["ultralytics"])]


def asking(bed: Bed, server: Server, name: str) -> Side:
    """Tasks a second of a server, asked for all pictures in one request."""
    caller = Caller(server)
    caller.setup()
    tasks = bed.amount.tasks
    return lambda number: tasks / caller.predict(bed.body(f"{name}-{number}"), tasks)


def shipped(bed: Bed, stack: contextlib.ExitStack) -> Side:
    """Tasks a second of ultralytics as it comes."""
    worker = stack.enter_context(bed.predicting("one_by_one", weights=str(bed.weights)))
    tasks = bed.amount.tasks

    def ask(number: int) -> float:
        return tasks / float(worker.ask(addresses=bed.addresses(f"shipped-{number}"))["seconds"])

    return ask


def _sides(bed: Bed, stack: contextlib.ExitStack) -> Iterator[tuple[str, Side]]:
    for precision in PRECISIONS:
        server = stack.enter_context(bed.measured("openvino", precision))
        yield precision, asking(bed, server, precision)
    yield "ultralytics", shipped(bed, stack)
    for precision in PRECISIONS:
        worker = stack.enter_context(_limit_worker(bed, precision))
        best = _searched(worker, f"the limit in {precision}")
        yield f"limit {precision}", _repeating(worker, best, bed.amount.tasks)


def _limit_worker(bed: Bed, precision: str) -> Worker:
    files = [str(path) for path in bed.pictures]
    return bed.predicting("limit", pictures=files, model=str(bed.exported), precision=precision)


def _searched(worker: Worker, what: str) -> dict[str, Any]:
    say(f"looks for the best arrangement of threads for {what}")
    found = worker.ask(search=True)
    best = dict(found["best"])
    say(", ".join(f"{name} {value:.3g}" for name, value in best.items()))
    return best


def _repeating(worker: Worker, best: dict[str, Any], tasks: int) -> Side:
    chosen = {name: value for name, value in best.items() if name != "seconds"}
    return lambda _: tasks / float(worker.ask(**chosen)["seconds"])


def _line(key: str, what: str, name: str, ours: list[float], baseline: list[float], *goals: Goal) -> Line:
    """Our tasks a second beside those of the baseline called `name`."""
    return Line(
        key=key,
        what=what,
        unit="tasks/s",
        better="higher",
        figure=spread(ours),
        baseline=spread(baseline),
        baseline_name=name,
        ratio=paired(ours, baseline),
        goals=goals,
    )


def _goals(precision: str) -> tuple[Goal, ...]:
    """None for bfloat16 where no unit of the processor computes it: there is nothing to win."""
    if precision == "auto" and "amx_bf16" not in machine().flags:
        return ()
    return (_at_least(_GOALS[precision]),)


def _at_least(ratio: float) -> Goal:
    return Goal(of="ratio", kind="at least", limit=ratio)
