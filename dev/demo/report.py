"""What is left on the screen at the end: the figures, the pictures, and how to look further."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from demo.contact_sheet import write_comparison, write_sheet
from demo.loop import Judged, Outcome
from demo.servers import ANNOTATED, Servers

_COMPARED = 5  # pictures in the comparison


def show(console: Console, outcome: Outcome, folder: Path, seconds: float) -> None:
    """Print the table and write the pictures."""
    table = Table()
    for heading in ("version", "mAP50", "mAP50-95", "boxes", "pictures"):
        table.add_column(heading, justify="left" if heading == "version" else "right")
    for judged in (outcome.before, outcome.after):
        table.add_row(*_row(judged))
    console.print("\nOn the pictures that nobody annotated, from the predictions in Label Studio:")
    console.print(table)
    console.print(f"{outcome.after.version} on its own validation pictures: {_listed(outcome.validation)}")
    console.print(
        f"{ANNOTATED} pictures annotated, training {outcome.training_seconds:.0f} s, all {seconds:.0f} s."
    )
    sheet, comparison = folder / "held-out.png", folder / "before-after.png"
    write_sheet(sheet, outcome.held_out, outcome.after.found)
    rows = [(_title(judged), judged.found[:_COMPARED]) for judged in (outcome.before, outcome.after)]
    write_comparison(comparison, outcome.held_out[:_COMPARED], rows)
    console.print(f"Pictures: {sheet}\n          {comparison}", soft_wrap=True)


def show_kept(console: Console, servers: Servers, stop: str) -> None:
    """Say where the servers are that were left running."""
    console.print(
        f"\nLeft running:\n"
        f"  Label Studio  {servers.studio.url}/projects/{servers.project}\n"
        f"  login         {servers.studio.username}   password  {servers.studio.password}\n"
        f"  backend       {servers.backend.url}   manifest  {servers.backend.manifest}\n"
        f"End them with:  {stop}",
        soft_wrap=True,
        highlight=False,
    )


def _row(judged: Judged) -> tuple[str, str, str, str, str]:
    boxes = sum(len(found) for found in judged.found)
    figures = judged.figures
    return (
        judged.version,
        f"{figures.map50:.3f}",
        f"{figures.map50_95:.3f}",
        str(boxes),
        str(len(judged.found)),
    )


def _listed(validation: dict[str, float]) -> str:
    wanted = {"mAP50": "mAP50(", "mAP50-95": "mAP50-95("}
    found = {
        name: next((v for k, v in validation.items() if part in k), None) for name, part in wanted.items()
    }
    return (
        ", ".join(f"{name} {value:.3f}" for name, value in found.items() if value is not None) or "no figures"
    )


def _title(judged: Judged) -> str:
    boxes = sum(len(found) for found in judged.found)
    return (
        f"version {judged.version}: mAP50 {judged.figures.map50:.2f}"
        if boxes
        else f"version {judged.version}: no boxes"
    )
