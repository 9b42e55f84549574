"""`lsb versions` and `lsb pin`: which versions there are, and which of them serves."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lsb_cli.cluster import edit
from lsb_cli.cluster import versions as cluster_versions
from lsb_cli.cluster.options import ContextOption, KubeconfigOption, NamespaceOption, OverGitOption
from lsb_cli.cluster.versions import Output, OutputOption
from lsb_cli.options import FileOption, NameOrFileArgument, StoreOption, in_cluster, manifest, store_root
from lsb_crds.errors import UserError

if TYPE_CHECKING:
    from lsb_backend.store.card import Card
    from lsb_backend.store.promotion import Promotion
    from lsb_backend.store.store import Store


def versions(
    name: NameOrFileArgument = None,
    file: FileOption = None,
    store: StoreOption = None,
    output: OutputOption = Output.TABLE,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
) -> None:
    """List the versions of a backend: how each one did, and which one serves.

    Example: `lsb versions -f backend.yaml -o json`, or in the cluster: `lsb versions cats`
    """
    there = {"--namespace": namespace, "--context": context, "--kubeconfig": kubeconfig}
    if in_cluster("versions", name, file, {"--store": store}, there):
        return cluster_versions.versions(str(name), output, namespace, context, kubeconfig)
    return _versions_here(file, store, output)


def pin(
    name: NameOrFileArgument = None,
    version: Annotated[
        str | None, typer.Argument(metavar="VERSION", help="The version to serve, such as 3-1a2b3c4d.")
    ] = None,
    file: FileOption = None,
    store: StoreOption = None,
    none: edit.NoneOption = False,
    force: OverGitOption = False,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
) -> None:
    """Serve one version whatever is promoted later; a running server follows within seconds.

    Example: `lsb pin -f backend.yaml 3-1a2b3c4d`, and back: `lsb pin -f backend.yaml --none`; or in the
    cluster: `lsb pin cats 3-1a2b3c4d`
    """
    if file is not None and version is None:
        # What follows -f FILE is the version alone.
        name, version = None, name
    there = {"--force": force, "--namespace": namespace, "--context": context, "--kubeconfig": kubeconfig}
    if in_cluster("pin", name, file, {"--store": store}, there):
        return edit.pin(str(name), version, none, force, namespace, context, kubeconfig)
    return _pin_here(version, file, store, none)


def _versions_here(file: Path | None, store: Path | None, output: Output) -> None:
    backend = manifest(file, None, "versions")
    opened = _existing(store, backend.metadata.name)
    promotion, target = opened.promotion(), _target(opened, backend.spec.model.version)
    rows = [_row(card, promotion, target) for card in reversed(opened.versions())]
    if output is Output.JSON:
        typer.echo(json.dumps({"versions": rows}, indent=2))
    else:
        _print_table(rows)


def _pin_here(version: str | None, file: Path | None, store: Path | None, none: bool) -> None:
    if (version is None) is not none:
        raise UserError("Name one version, or --none: lsb pin -f backend.yaml 3-1a2b3c4d")
    backend = manifest(file, None, "pin")
    opened = _existing(store, backend.metadata.name)
    opened.pin(version)
    typer.echo(f"Pinned {version}." if version else "No version is pinned; the promoted one serves.")
    wanted = backend.spec.model.version
    if wanted and wanted != version:
        typer.echo(f"But the manifest says model.version: {wanted}, and that serves.", err=True)


def _existing(store: Path | None, name: str) -> "Store":
    from lsb_backend.store.store import Store

    root = store_root(store, name)
    if not root.is_dir():
        raise UserError(f"There is no store in {root} yet; start with: lsb serve -f backend.yaml")
    return Store.open(root)


def _target(store: "Store", wanted: str | None) -> str | None:
    try:
        return store.target(wanted)
    except UserError as error:
        typer.echo(f"warning: {error}", err=True)
        return None


def _row(card: "Card", promotion: "Promotion", target: str | None) -> dict[str, Any]:
    decisions = [entry for entry in promotion.history if entry.version == card.version]
    last = decisions[-1] if decisions else None
    return {
        "version": card.version,
        "serves": card.version == target,
        "pinned": card.version == promotion.pinned,
        "state": last.verdict.value if last else None,
        "metrics": card.metrics.exported or card.metrics.weights,
        "made": card.created_at.isoformat(timespec="seconds"),
        "reason": last.reason if last else "",
    }


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", "VERSION", "STATE", "mAP50", "mAP50-95", "MADE", "REASON", box=None)
    for row in rows:
        mark = "[green]▶[/green]" if row["serves"] else ""
        state = " ".join(filter(None, [row["state"], "pinned" if row["pinned"] else ""]))
        table.add_row(
            mark,
            row["version"],
            state,
            _figure(row["metrics"], "mAP50("),
            _figure(row["metrics"], "mAP50-95("),
            row["made"].replace("T", " ")[:16],
            row["reason"],
        )
    Console().print(table if rows else "No versions yet.")


def _figure(metrics: dict[str, float], name: str) -> str:
    return next(
        (f"{value:.3f}" for key, value in metrics.items() if f"/{name}" in key or key == name[:-1]), ""
    )
