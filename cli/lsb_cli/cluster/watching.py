"""Seeing a training through: a bar on a terminal, a line for each change elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import typer

from lsb_cli.cluster.connection import Cluster
from lsb_cli.cluster.errors import MissingError, UnreachableError
from lsb_cli.cluster.outcome import epochs, exit_code, line
from lsb_crds.errors import UserError
from lsb_operator.kinds import TRAINING

Manifest = dict[str, Any]
_PAUSES = (1, 2, 4, 8, 16, 32)
"""Seconds between attempts to reach an API server that was there a moment ago."""


def see_through(cluster: Cluster, training: Manifest) -> int:
    """Show a training until it has ended; the exit code that says how. Raises UserError if it is deleted."""
    name = training["metadata"]["name"]
    try:
        with _shown() as show:
            for found in _states(cluster, training):
                show(found)
                code = exit_code(found)
                if code is not None:
                    return code
    except MissingError:
        raise UserError(f"Training {name} was deleted before it ended") from None
    except KeyboardInterrupt:
        end = f"kubectl delete lstraining {name} -n {cluster.namespace}"
        typer.echo(f"Training {name} goes on; end it with: {end}", err=True)
        raise
    raise AssertionError("the states of a training end with it")


def _states(cluster: Cluster, training: Manifest) -> Iterator[Manifest]:
    """The training as it is, and each time that it has changed."""
    found = training
    while True:
        yield found
        # An API server that restarts ends its watches; whether it is back, the next request tells.
        with suppress(UnreachableError):
            yield from cluster.changes(TRAINING, found)
        found = _again(cluster, training["metadata"]["name"])


def _again(cluster: Cluster, name: str) -> Manifest:
    for pause in _PAUSES:
        try:
            return cluster.get(TRAINING, name)
        except UnreachableError:
            time.sleep(pause)
    return cluster.get(TRAINING, name)


@contextmanager
def _shown() -> Iterator[Callable[[Manifest], None]]:
    """What shows a state of the training."""
    from rich.console import Console

    console = Console()
    if console.is_terminal:
        with _bar(console) as show:
            yield show
    else:
        yield _lines()


@contextmanager
def _bar(console: Any) -> Iterator[Callable[[Manifest], None]]:
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=None)

        def show(training: Manifest) -> None:
            done, total = epochs(training) or (0, None)
            progress.update(bar, description=escape(line(training)), completed=done, total=total)

        yield show


def _lines() -> Callable[[Manifest], None]:
    """Print a line for each state that reads differently from the one before."""
    last = ""

    def show(training: Manifest) -> None:
        nonlocal last
        now = line(training)
        if now != last:
            typer.echo(now)
        last = now

    return show
