"""Progress and result of a training as its resource in the cluster shows them."""

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from lsb_backend.cluster import Cluster, ClusterError
from lsb_backend.training.progress import Reporter
from lsb_backend.training.result import Result
from lsb_crds.results import Progress, TrainingResult

INTERVAL: Final = 5.0
"""Seconds between two writes: each makes everybody who watches trainings work."""
ATTEMPTS: Final = 5
_LONGEST_MESSAGE: Final = 4096
_MOST_FIGURES: Final = 64
Write = Callable[[Mapping[str, Any]], None]


class StatusWriter:
    """Writes the newest of what it is given, in a thread: the training never waits for the API server.

    `write` raises ClusterError; `complain` gets the first of several failures in a row.
    """

    def __init__(self, write: Write, complain: Callable[[str], None], interval: float = INTERVAL) -> None:
        self._write = write
        self._complain = complain
        self._interval = interval
        self._newest: Mapping[str, Any] = {}
        self._changed = threading.Event()
        self._closing = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, status: Mapping[str, Any]) -> None:
        """Have this written soon, in place of what was not written yet."""
        self._newest = status
        self._changed.set()

    def close(self, last: Mapping[str, Any] | None) -> None:
        """Write `last`, in a few attempts; None leaves at once."""
        self._closing.set()
        self._changed.set()
        if last is None:
            return
        self._thread.join()
        for attempt in range(ATTEMPTS):
            if self._tried(last):
                return
            time.sleep(min(2.0**attempt, self._interval))

    def _run(self) -> None:
        while True:
            self._changed.wait()
            self._changed.clear()
            if self._closing.is_set():
                return
            self._tried(self._newest)
            self._closing.wait(self._interval)

    def _tried(self, status: Mapping[str, Any]) -> bool:
        try:
            self._write(status)
        except ClusterError as error:
            if not self._failing:
                self._complain(f"the training's status is not written, the training goes on: {error}")
            self._failing = True
            return False
        self._failing = False
        return True


class ClusterReporter:
    """Passes all on to `inner`, and progress to the training's resource as well."""

    def __init__(self, inner: Reporter, writer: StatusWriter) -> None:
        self._inner = inner
        self._writer = writer
        self.progress: Progress | None = None

    def stage(self, name: str, message: str) -> None:
        """See Reporter."""
        self._inner.stage(name, message)
        if name == "evaluate" and self.progress is not None:
            # It may have stopped early: there are no more epochs than were done.
            self._show(self.progress.model_copy(update={"epochs": self.progress.epoch}))

    def epoch(self, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        """See Reporter."""
        self._inner.epoch(epoch, epochs, metrics)
        figures = [(name, round(value, 5)) for name, value in metrics.items() if math.isfinite(value)]
        self._show(Progress(epoch=epoch, epochs=epochs, metrics=dict(figures[:_MOST_FIGURES])))

    def note(self, message: str) -> None:
        """See Reporter."""
        self._inner.note(message)

    def _show(self, progress: Progress) -> None:
        self.progress = progress
        self._writer.put({"progress": _plain(progress)})


class Told:
    """Where a program leaves its result for the cluster."""

    def __init__(self, report: Reporter) -> None:
        self.report = report
        self.result: TrainingResult | None = None


@contextlib.contextmanager
def told_to(cluster: Cluster | None, training: str | None, inner: Reporter) -> Iterator[Told]:
    """A reporter that also tells the training's resource, and at the end the result that was left.

    Nothing is told in a process that works for no training of a cluster.
    """
    if cluster is None or training is None:
        yield Told(inner)
        return
    writer = StatusWriter(lambda status: cluster.apply_training_status(training, dict(status)), inner.note)
    reporter = ClusterReporter(inner, writer)
    told = Told(reporter)
    try:
        yield told
    finally:
        writer.close(_last(reporter.progress, told.result) if told.result is not None else None)


def training_result(result: Result) -> TrainingResult:
    """The result in the form of the contract."""
    return TrainingResult(
        outcome=result.outcome.value,
        version=result.version,
        previous=result.previous,
        metric=result.metric,
        candidate=result.candidate,
        served=result.served,
        message=result.message[:_LONGEST_MESSAGE],
    )


def message_of(result: TrainingResult, longest: int) -> str:
    """The result as JSON of at most `longest` bytes: what does not fit of its message is left out."""
    text, message = _json(result), result.message or ""
    while len(text.encode()) > longest and message:
        # A character takes up to six bytes in JSON.
        message = message[: -max(1, (len(text.encode()) - longest) // 6)]
        text = _json(result.model_copy(update={"message": message}))
    return text


def _json(result: TrainingResult) -> str:
    return result.model_dump_json(by_alias=True, exclude_none=True)


def _last(progress: Progress | None, result: TrainingResult) -> dict[str, Any]:
    # What is left out of an apply is given up, so the progress is told again.
    found = {"progress": _plain(progress)} if progress is not None else {}
    return found | {"result": _plain(result)}


def _plain(part: Progress | TrainingResult) -> dict[str, Any]:
    return part.model_dump(mode="json", by_alias=True, exclude_none=True)
