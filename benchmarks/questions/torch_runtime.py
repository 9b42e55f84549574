"""The reference runtime: what our server adds to ultralytics' own `YOLO.predict`."""

import contextlib

from benchmarks.bed.bed import Bed
from benchmarks.bed.rounds import interleaved, say
from benchmarks.figures import Goal, Line
from benchmarks.questions.predict import asking
from benchmarks.spread import paired, spread


def measure(bed: Bed) -> list[Line]:
    """Tasks a second with torch."""
    tasks = bed.amount.tasks
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(bed.measured("torch", "f32"))
        files = [str(path) for path in bed.pictures]
        worker = stack.enter_context(bed.predicting("bare_predict", weights=str(bed.weights), pictures=files))
        say("looks for the best way to call YOLO.predict")
        best = worker.ask(search=True)["best"]
        way = {"threads": best["threads"], "at_once": best["at_once"]}
        sides = {
            "torch": asking(bed, server, "torch"),
            "YOLO.predict": lambda _: tasks / float(worker.ask(**way)["seconds"]),
        }
        taken = interleaved(sides, bed.amount.rounds)
    return [
        Line(
            key="predict/torch/bare",
            what="predict, torch, all tasks in one request",
            unit="tasks/s",
            better="higher",
            figure=spread(taken["torch"]),
            baseline=spread(taken["YOLO.predict"]),
            baseline_name=f"YOLO.predict, decoded pictures, {way['threads']} threads, batch {way['at_once']}",
            ratio=paired(taken["torch"], taken["YOLO.predict"]),
            goals=(Goal(of="ratio", kind="at least", limit=0.95),),
            details=way,
        )
    ]
