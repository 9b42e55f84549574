"""Medians, quartiles and ratios."""

import pytest
from benchmarks.spread import paired, percentile, spread


def test_the_middle_half_is_the_spread() -> None:
    found = spread([5.0, 1.0, 3.0, 2.0, 4.0])
    assert (found.low, found.median, found.high, found.samples) == (2.0, 3.0, 4.0, 5)


def test_one_sample_has_no_spread() -> None:
    found = spread([7.0])
    assert (found.low, found.median, found.high, found.samples) == (7.0, 7.0, 7.0, 1)


def test_ratios_are_those_of_each_round() -> None:
    # The machine was half as quick in the second round; the ratio is not.
    found = paired([30.0, 15.0], [10.0, 5.0])
    assert (found.low, found.median, found.high) == (3.0, 3.0, 3.0)


def test_rounds_that_do_not_pair_are_refused() -> None:
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        paired([1.0, 2.0], [1.0])


@pytest.mark.parametrize(("percent", "expected"), [(50, 50), (99, 99), (100, 100), (0, 1), (1, 1)])
def test_percentiles_of_a_hundred_samples(percent: float, expected: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], percent) == expected


def test_the_p99_of_few_samples_is_the_largest() -> None:
    assert percentile([3.0, 1.0, 9.0, 2.0], 99) == 9.0


@pytest.mark.parametrize("work", [lambda: spread([]), lambda: percentile([], 50), lambda: paired([], [])])
def test_nothing_measured_is_an_error(work: object) -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        work()  # type: ignore[operator]
