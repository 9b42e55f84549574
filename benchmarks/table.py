"""The lines of a run as a table for people."""

from benchmarks.figures import Goal, Line, Machine, Spread
from rich.table import Table


def described(machine: Machine) -> str:
    """The machine in one line."""
    flags = ", ".join(machine.flags) or "no vector instructions of note"
    return (
        f"{machine.processor}, {machine.cores} cores (quota {machine.quota}), {machine.memory_gib:g} GiB, "
        f"{flags}; {machine.system}, Python {machine.python}; commit {machine.commit or 'unknown'}; "
        f"load at the start {machine.load:g}"
    )


def table(lines: list[Line]) -> Table:
    """Figure, baseline, ratio, goal and verdict of each line; the spread is that between the quartiles."""
    found = Table(box=None, pad_edge=False, header_style="bold")
    found.add_column("what", overflow="fold", max_width=46)
    for title in ("measured", "baseline", "ratio"):
        found.add_column(title, justify="right")
    found.add_column("goal")
    found.add_column("baseline is", overflow="fold", style="dim", max_width=52)
    for line in lines:
        found.add_row(
            line.what,
            f"{figure(line.figure)} {line.unit}",
            f"{figure(line.baseline)} {line.unit}" if line.baseline else "",
            figure(line.ratio) if line.ratio else "",
            verdict(line),
            line.baseline_name,
        )
    return found


def figure(spread: Spread) -> str:
    """The median, and the quartiles where they differ from it: `3.2 (3.1-3.4)`."""
    median = _number(spread.median)
    if spread.samples == 1:
        return median
    return f"{median} ({_number(spread.low)}-{_number(spread.high)})"


def verdict(line: Line) -> str:
    """The goals of a line and whether they are met, in rich's markup; nothing for a line without one."""
    if line.met is None:
        return ""
    goals = ", ".join(_goal(goal, line.unit) for goal in line.goals)
    return f"[green]met[/green] {goals}" if line.met else f"[bold red]MISSED[/bold red] {goals}"


def _goal(goal: Goal, unit: str) -> str:
    sign = "≥" if goal.kind == "at least" else "≤"
    if goal.of == "ratio":
        return f"{sign} {goal.limit:g}x"
    more = " more" if goal.of == "difference" else ""
    return f"{sign} {goal.limit:g} {unit}{more}"


def _number(value: float) -> str:
    """Three digits that count, without an exponent."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"
