"""What our server adds to an empty route of the same web framework on the same HTTP server."""

import base64
import contextlib
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from benchmarks.bed.bed import Bed
from benchmarks.bed.callers import Caller, Server, predict_body
from benchmarks.bed.environment import ROOT, plain
from benchmarks.bed.rounds import interleaved
from benchmarks.figures import Goal, Line
from benchmarks.spread import paired, percentile, spread
from label_studio import free_port
from serving import ServingProcess, until

_MORE = 1.5  # milliseconds
_LABELS = '<Label value="one"/><Label value="two"/>'
_CONFIG = (
    '<View><Image name="image" value="$image"/>'
    f'<RectangleLabels name="label" toName="image">{_LABELS}</RectangleLabels></View>'
)


def measure(bed: Bed) -> list[Line]:
    """Milliseconds of a request for one task that costs nothing to predict, as a median.

    Its picture is small and inside of the task: neither its way nor its decoding belongs to the protocol.
    """
    calls = bed.amount.overhead_calls
    with contextlib.ExitStack() as stack:
        dummy = Server(stack.enter_context(_dummy(bed)), _CONFIG)
        empty = Server(stack.enter_context(_empty_route()), _CONFIG)
        ours, baseline = Caller(dummy), Caller(empty)
        ours.setup()

        def predicted(number: int) -> float:
            bodies = [predict_body(_CONFIG, [_picture(number * calls + call)]) for call in range(calls)]
            return percentile([ours.predict(body, 1) for body in bodies], 50) * 1000

        def nothing(number: int) -> float:
            body = predict_body(_CONFIG, [_picture(number)])
            return percentile([_posted(baseline, body) for _ in range(calls)], 50) * 1000

        taken = interleaved({"dummy": predicted, "empty route": nothing}, bed.amount.rounds)
    return [
        Line(
            key="protocol/dummy",
            what="one task, dummy, p50",
            unit="ms",
            better="lower",
            figure=spread(taken["dummy"]),
            baseline=spread(taken["empty route"]),
            baseline_name="an empty FastAPI route on the same uvicorn",
            ratio=paired(taken["dummy"], taken["empty route"]),
            goals=(Goal(of="difference", kind="at most", limit=_MORE),),
            tolerance=0.3,
        )
    ]


def _posted(caller: Caller, body: bytes) -> float:
    began = time.perf_counter()
    caller.post("/predict", body)
    return time.perf_counter() - began


@contextlib.contextmanager
def _dummy(bed: Bed) -> Iterator[str]:
    spec: dict[str, Any] = {
        "model": {"task": "dummy"},
        "training": {"triggers": {"annotations": 0}},
        "prelabel": {"afterRollout": False},
    }
    # Nobody answers there, and nobody is needed.
    backend = ServingProcess(bed.folder / "dummy", f"http://127.0.0.1:{free_port()}", "none", spec)
    backend.start()
    try:
        yield backend.url
    finally:
        backend.stop()


@contextlib.contextmanager
def _empty_route() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.workers.empty_route", str(port)], cwd=ROOT, env=plain()
    )
    try:
        until(lambda: _listening(port), "the empty route answers")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _listening(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _picture(number: int) -> str:
    """A picture of 64 x 48 pixels as a data: URI, other pixels for each number."""
    pixels = np.random.default_rng(number).integers(0, 256, (6, 8, 3), np.uint8)
    _, jpeg = cv2.imencode(".jpg", cv2.resize(pixels, (64, 48)))
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode()
