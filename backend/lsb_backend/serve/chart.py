"""A small picture of how the versions did, drawn as SVG inside the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, FOOT, HEAD = 640, 180, 22, 18


@dataclass(frozen=True, slots=True)
class Bar:
    """One version: its figure in 0..1, and whether it is the one that serves."""

    name: str
    value: float
    served: bool


def bar_chart(bars: Sequence[Bar], title: str) -> str:
    """An `<svg>` element with one bar for each version, oldest first; empty for no bars."""
    if not bars:
        return ""
    step = WIDTH / len(bars)
    drawn = "".join(_bar(bar, index * step, step) for index, bar in enumerate(bars))
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{drawn}</svg>"
    )


def _bar(bar: Bar, left: float, step: float) -> str:
    value = min(max(bar.value, 0.0), 1.0)
    height = max(1.0, value * (HEIGHT - FOOT - HEAD))
    top = HEIGHT - FOOT - height
    width = min(48.0, step * 0.7)
    middle = left + step / 2
    kind = "served" if bar.served else "other"
    return (
        f'<rect class="{kind}" x="{middle - width / 2:.1f}" y="{top:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" rx="2"><title>{escape(bar.name)}: {bar.value:.3f}</title></rect>'
        f'<text x="{middle:.1f}" y="{top - 4:.1f}">{bar.value:.2f}</text>'
        f'<text x="{middle:.1f}" y="{HEIGHT - 6}">{escape(bar.name)}</text>'
    )
