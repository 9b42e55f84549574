"""Following a training through the backend's /status until its result serves."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from demo.backend import RunningBackend
from demo.errors import DemoError

_LIMIT = 3600.0  # seconds after which nobody waits any more
_QUIET = 30.0  # seconds without a training and without a new version: it has come to nothing


@dataclass(frozen=True, slots=True)
class Trained:
    """The version that serves after the training, and the figures of its own validation by name."""

    version: str
    validation: dict[str, float]


def follow(backend: RunningBackend, before: str, console: Console) -> Trained:
    """Show the training until another version than `before` serves; raises DemoError where none comes."""
    with _bar(console) as progress:
        show = _shown(progress, console)
        quiet_since = began = time.monotonic()
        while True:
            status = backend.status() or {}
            model, training = status.get("model") or {}, status.get("training")
            if model and model["version"] != before:
                return Trained(str(model["version"]), _figures(model))
            now = time.monotonic()
            quiet_since = now if training or not status else quiet_since
            if now - quiet_since > _QUIET:
                raise DemoError(_reason(status))
            if now - began > _LIMIT:
                raise DemoError(f"no new version serves after {_LIMIT:.0f} s")
            if training:
                show(training)
            time.sleep(1)


def _bar(console: Console) -> Progress:
    columns = (TextColumn("    {task.description:<34}"), BarColumn(40), TextColumn("{task.completed:.0f}"))
    return Progress(
        *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, disable=not console.is_terminal
    )


def _shown(progress: Progress, console: Console) -> Callable[[dict[str, Any]], None]:
    """What shows one state of the training: a bar on a terminal, else a line now and then."""
    bar = progress.add_task("starting", total=None)
    told: set[tuple[str, int]] = set()

    def show(training: dict[str, Any]) -> None:
        epoch, epochs, phase = training.get("epoch") or 0, training.get("epochs"), training["phase"]
        text = f"{phase}{_best(training.get('metrics') or {})}"
        progress.update(bar, description=text, completed=epoch, total=epochs)
        if not console.is_terminal and (key := (phase, epoch // 10)) not in told:
            told.add(key)
            console.print(f"    {text}" + (f"  epoch {epoch} of {epochs}" if epochs else ""))

    return show


def _best(metrics: dict[str, float]) -> str:
    return next((f"  mAP50 {value:.2f}" for name, value in metrics.items() if "mAP50(" in name), "")


def _figures(model: dict[str, Any]) -> dict[str, float]:
    metrics = model.get("metrics") or {}
    return dict(metrics.get("exported") or metrics.get("weights") or {})


def _reason(status: dict[str, Any]) -> str:
    for name in ("training_refused", "swap_failed", "label_studio"):
        if entry := status.get(name):
            return f"the training came to nothing: {entry['message']}"
    return "the training ended and the first version still serves"
