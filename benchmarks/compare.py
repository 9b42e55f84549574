"""Whether a run is worse than an earlier one: `python -m benchmarks.compare OLD.json NEW.json`."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Line, Report
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Change:
    """A line in two runs: `change` is the share by which it got better (above 0) or worse (below 0)."""

    key: str
    what: str
    old: float
    new: float
    change: float
    tolerance: float
    of: str

    @property
    def worse(self) -> bool:
        """Whether it got worse by more than it may."""
        return self.change < -self.tolerance


def changes(old: Report, new: Report) -> list[Change]:
    """The lines that both runs have, in the order of the new one.

    Ratios are compared, since both of their sides were measured in one run; of lines without a baseline the
    figures are.
    """
    before = {line.key: line for line in old.lines}
    return [_change(before[line.key], line) for line in new.lines if line.key in before]


def missing(old: Report, new: Report) -> list[str]:
    """The keys of lines that only the old run has."""
    keys = {line.key for line in new.lines}
    return [line.key for line in old.lines if line.key not in keys]


def _change(old: Line, new: Line) -> Change:
    if old.ratio and new.ratio:
        of, before, after = "ratio", old.ratio.median, new.ratio.median
    else:
        of, before, after = new.unit, old.figure.median, new.figure.median
    better = after / before if new.better == "higher" else before / after
    return Change(new.key, new.what, before, after, better - 1, new.tolerance, of)


def main() -> None:
    """Print what changed; exit code 1 if something got worse beyond its tolerance."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    chosen = parser.parse_args()
    old, new = _read(chosen.old), _read(chosen.new)
    console = Console()
    if old.machine.processor != new.machine.processor or old.machine.quota != new.machine.quota:
        console.print("The runs are from different machines: only ratios are worth a look.", style="yellow")
    if old.quick or new.quick:
        console.print("A quick run is too short to compare with.", style="yellow")
    found = changes(old, new)
    console.print(_table(found))
    for key in missing(old, new):
        console.print(f"{key} is not in the new run", style="yellow", markup=False)
    worse = [change for change in found if change.worse]
    console.print(
        f"{len(worse)} of {len(found)} got worse beyond their tolerance"
        if worse
        else f"none of {len(found)} got worse beyond its tolerance"
    )
    sys.exit(1 if worse else 0)


def _read(path: Path) -> Report:
    try:
        return Report.model_validate_json(path.read_bytes())
    except OSError as error:
        sys.exit(f"{path}: cannot be read ({error.strerror}); write one with: make bench ARGS='--json FILE'")
    except ValidationError as error:
        wrong = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in wrong["loc"]) or "the whole file"
        sys.exit(f"{path}: not a file of make bench ({place}: {wrong['msg']})")


def _table(found: list[Change]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("what", overflow="fold")
    for title in ("old", "new", "change", "tolerance"):
        table.add_column(title, justify="right")
    table.add_column("")
    for change in found:
        unit = "x" if change.of == "ratio" else f" {change.of}"
        table.add_row(
            change.what,
            f"{change.old:.3g}{unit}",
            f"{change.new:.3g}{unit}",
            f"{change.change:+.1%}",
            f"-{change.tolerance:.0%}",
            "[bold red]WORSE[/bold red]" if change.worse else "",
        )
    return table


if __name__ == "__main__":
    main()
