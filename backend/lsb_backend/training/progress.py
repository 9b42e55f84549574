"""Tells people and programs how far a training is."""

import contextlib
import json
import math
from collections.abc import Iterator, Mapping
from typing import Protocol, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Reporter(Protocol):
    """What the training program says while it runs. Nothing else reaches stdout."""

    def stage(self, name: str, message: str) -> None:
        """A stage begins: `freeze`, `dataset`, `fit`, `evaluate`, `store`, `finish` or `prepare`."""

    def epoch(self, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        """Epoch `epoch` of `epochs` (from 1) is done and cannot be lost; validation figures in 0..1."""

    def note(self, message: str) -> None:
        """Something worth a line, such as what was left out."""


class JsonLines:
    """One JSON object a line, each written out at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def stage(self, name: str, message: str) -> None:
        self._write({"event": "stage", "phase": name, "message": message})

    def epoch(self, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        # JSON has no NaN, which a training that diverged reports.
        finite = {name: round(value, 5) for name, value in metrics.items() if math.isfinite(value)}
        self._write({"event": "epoch", "phase": "fit", "epoch": epoch, "epochs": epochs, "metrics": finite})

    def note(self, message: str) -> None:
        self._write({"event": "note", "message": message})

    def _write(self, event: Mapping[str, object]) -> None:
        print(json.dumps(event), file=self._stream, flush=True)


class Terminal:
    """Lines for the stages and a bar for the epochs."""

    def __init__(self, console: Console, bar: Progress) -> None:
        self._console = console
        self._bar = bar
        self._task = bar.add_task("training", total=None, visible=False, figures="")

    def stage(self, name: str, message: str) -> None:
        self._console.print(f"[bold]{name}[/bold] {escape(message)}", highlight=False)

    def epoch(self, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        figures = " ".join(f"{name.removeprefix('metrics/')} {value:.3f}" for name, value in _shown(metrics))
        self._bar.update(self._task, completed=epoch, total=epochs, visible=epoch < epochs, figures=figures)
        if epoch >= epochs:
            self._console.print(f"epoch {epoch} of {epochs} {figures}", highlight=False)

    def note(self, message: str) -> None:
        self._console.print(message, highlight=False, markup=False)


@contextlib.contextmanager
def reporter(stream: TextIO) -> Iterator[Reporter]:
    """A progress bar if `stream` is a terminal, JSON lines otherwise."""
    if not stream.isatty():
        yield JsonLines(stream)
        return
    # Not our stdout and stderr: what a library prints while we train goes to its log.
    console = Console(file=stream)
    columns = (
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
    )
    with Progress(*columns, console=console, redirect_stdout=False, redirect_stderr=False) as bar:
        yield Terminal(console, bar)


def _shown(metrics: Mapping[str, float]) -> list[tuple[str, float]]:
    return [(name, value) for name, value in metrics.items() if name.startswith("metrics/mAP")]
