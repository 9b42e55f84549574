"""Whether a candidate may take over from the version that serves."""

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the gate says of a candidate, with the figures it compared and the reason in words."""

    better: bool
    metric: str
    candidate: float | None
    served: float | None
    reason: str


def judge(
    metric: str,
    candidate: Mapping[str, float],
    served: Mapping[str, float],
    minimum_gain: float,
    validation_images: int,
) -> Ruling:
    """Compare the figures (by name, in 0..1) of a candidate and of what serves, on the same validation data.

    The candidate must score above 0, above what serves, and by `minimum_gain` at least. A served version
    without a usable figure counts as 0: nothing can be worse than what cannot be measured.
    """
    new, old = figure(candidate, metric), figure(served, metric)
    name = metric.removeprefix("metrics/")

    def ruling(better: bool, reason: str) -> Ruling:
        return Ruling(better, metric, new, old, reason)

    if validation_images == 0:
        return ruling(False, "no validation image, so nothing says whether it is better: annotate more tasks")
    if new is None:
        return ruling(False, f"its {name} on the validation images is not a number")
    images = "1 image" if validation_images == 1 else f"{validation_images} images"
    compared = f"{name} {new:.3f} against {_spoken(old)} of the served version on {images}"
    gain = new - (old or 0.0)
    if new <= 0:
        return ruling(False, f"{compared}: it found nothing, annotate more tasks or train for more epochs")
    # Rounded because 0.6 - 0.5 is less than 0.1 in floating point.
    if gain <= 0 or round(gain - minimum_gain, 9) < 0:
        return ruling(False, f"{compared}: {_shortfall(gain, minimum_gain)}")
    return ruling(True, f"{compared}: better by {gain:.3f}")


def figure(figures: Mapping[str, float], metric: str) -> float | None:
    """The figure called `metric`; None if it is missing or not finite."""
    value = figures.get(metric)
    return value if value is not None and math.isfinite(value) else None


def _spoken(value: float | None) -> str:
    return "no figure" if value is None else f"{value:.3f}"


def _shortfall(gain: float, minimum_gain: float) -> str:
    if gain <= 0:
        return "not better"
    return f"better by {gain:.3f}, and training.gate.minimumGain asks for {minimum_gain:g}"
