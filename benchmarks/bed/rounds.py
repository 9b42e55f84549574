"""Sides measured in turn, so that whatever else the machine does meets all of them."""

import sys
from collections.abc import Callable, Mapping, Sequence

Side = Callable[[int], float]


def interleaved(sides: Mapping[str, Side], rounds: int, warm_up: bool = True) -> dict[str, list[float]]:
    """A B C A B C ...: what each side gives in each round, by its name.

    Each side gets the number of the round. Round 0 warms up and is not counted; without `warm_up` there is
    none, for sides that begin anew each time.
    """
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(0 if warm_up else 1, rounds + 1):
        for name, side in sides.items():
            figure = side(number)
            if number:
                taken[name].append(figure)
        if number:
            say(f"round {number} of {rounds}: {_shown(taken)}")
    return taken


def say(text: str) -> None:
    """A line of progress; the table alone goes to stdout."""
    print(f"  {text}", file=sys.stderr, flush=True)


def _shown(taken: Mapping[str, Sequence[float]]) -> str:
    return ", ".join(f"{name} {figures[-1]:.3g}" for name, figures in taken.items())
