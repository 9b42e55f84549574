"""`versions NAME`: which versions a backend in a cluster has, as its status tells."""

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from lsb_cli.cluster.options import (
    ContextOption,
    KubeconfigOption,
    NameArgument,
    NamespaceOption,
    connected,
)

Manifest = dict[str, Any]


class Output(StrEnum):
    """How a list is printed."""

    TABLE = "table"
    JSON = "json"


OutputOption = Annotated[Output, typer.Option("-o", "--output", help="table or json")]


def versions(
    name: NameArgument,
    output: OutputOption = Output.TABLE,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
) -> None:
    """List the versions that a backend serves, served, or was trained to: how each did, and which serves.

    Example: `kubectl lsb versions cats -o json`
    """
    from lsb_cli.cluster.connection import find
    from lsb_operator.kinds import BACKEND

    backend = find(connected(namespace, context, kubeconfig), BACKEND, name)
    if output is Output.JSON:
        typer.echo(json.dumps(report(backend), indent=2))
    else:
        _print(backend)


def report(backend: Manifest) -> Manifest:
    """The versions with the status that they were read from."""
    status = backend.get("status") or {}
    return {
        "versions": rows(backend),
        "model": status.get("model") or {},
        "lastTrainings": status.get("lastTrainings") or [],
    }


def rows(backend: Manifest) -> list[Manifest]:
    """The versions, newest first, each a line of the table."""
    status = backend.get("status") or {}
    model = status.get("model") or {}
    made = {one["version"]: one for one in status.get("lastTrainings") or [] if one.get("version")}
    known = {*made, *(model[key] for key in ("version", "target", "previous") if model.get(key))}
    newest_first = sorted(known, key=lambda version: int(version.partition("-")[0]), reverse=True)
    pinned = (backend["spec"].get("model") or {}).get("version")
    return [_row(version, made.get(version, {}), model, pinned) for version in newest_first]


def _row(version: str, training: Manifest, model: Manifest, pinned: str | None) -> Manifest:
    serves = version == model.get("version")
    return {
        "version": version,
        "serves": serves,
        "target": version == model.get("target"),
        "pinned": version == pinned,
        "state": training.get("phase"),
        "metric": training.get("metric"),
        "candidate": training.get("candidate"),
        "served": training.get("served"),
        "metrics": model.get("metrics") or {} if serves else {},
        "training": training.get("name"),
        "finishedAt": training.get("finishedAt"),
    }


def _print(backend: Manifest) -> None:
    from rich.console import Console
    from rich.table import Table

    found = rows(backend)
    table = Table("", "VERSION", "STATE", "METRIC", "CANDIDATE", "SERVED", "TRAINING", "FINISHED", box=None)
    for row in found:
        table.add_row(
            "[green]▶[/green]" if row["serves"] else "",
            row["version"],
            _state(row),
            row["metric"] or "",
            _figure(row["candidate"]),
            _figure(row["served"]),
            row["training"] or "",
            (row["finishedAt"] or "").replace("T", " ")[:16],
        )
    Console().print(table if found else "No versions yet.")
    _tell_of_failure(backend)


def _state(row: Manifest) -> str:
    rolling = row["target"] and not row["serves"]
    words = [row["state"], "pinned" if row["pinned"] else None, "taking over" if rolling else None]
    return ", ".join(word for word in words if word)


def _tell_of_failure(backend: Manifest) -> None:
    """What the table cannot show: a training that made no version, a version that was given up."""
    told = (("TrainingSucceeded", "False"), ("RolledBack", "True"))
    for one in (backend.get("status") or {}).get("conditions") or []:
        if (one["type"], one["status"]) in told:
            typer.echo(one["message"], err=True)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
