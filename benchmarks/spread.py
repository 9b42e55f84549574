"""Medians, quartiles and ratios of samples."""

import statistics
from collections.abc import Sequence

from benchmarks.figures import Spread


def spread(samples: Sequence[float]) -> Spread:
    """Median and quartiles; of a single sample all three are that one. Raises ValueError for none."""
    if not samples:
        raise ValueError("no samples: nothing was measured")
    if len(samples) == 1:
        low = high = samples[0]
    else:
        low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return Spread(median=statistics.median(samples), low=low, high=high, samples=len(samples))


def paired(figures: Sequence[float], baselines: Sequence[float]) -> Spread:
    """Figure / baseline of each round: what slows a whole round down weighs on both sides of its ratio.

    Raises ValueError for sequences of different lengths.
    """
    return spread([figure / baseline for figure, baseline in zip(figures, baselines, strict=True)])


def percentile(samples: Sequence[float], percent: float) -> float:
    """The least sample that at least `percent` (0..100) of all do not exceed. Raises ValueError for none."""
    if not samples:
        raise ValueError("no samples: nothing was measured")
    ordered = sorted(samples)
    # Rounded up, so that the p99 of fewer than a hundred samples is the largest.
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(int(rank), 1) - 1]
