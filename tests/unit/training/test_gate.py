"""The gate lets a better candidate through and nothing else."""

import math

import pytest

from lsb_backend.training.gate import judge

METRIC = "metrics/mAP50-95(B)"
NAN = math.nan


@pytest.mark.parametrize(
    ("candidate", "served", "gain", "images", "better"),
    [
        (0.5, 0.4, 0.0, 9, True),
        (0.6, 0.5, 0.1, 9, True),
        (0.5, 0.5, 0.0, 9, False),
        (0.4, 0.5, 0.0, 9, False),
        (0.5, 0.45, 0.1, 9, False),
        (0.0, 0.0, 0.0, 9, False),
        (0.01, 0.0, 0.0, 9, True),
        (0.9, 0.1, 0.0, 0, False),
        (NAN, 0.1, 0.0, 9, False),
        (math.inf, 0.1, 0.0, 9, False),
        (0.5, NAN, 0.0, 9, True),
        (NAN, NAN, 0.0, 9, False),
    ],
)
def test_verdict(candidate: float, served: float, gain: float, images: int, better: bool) -> None:
    ruling = judge(METRIC, {METRIC: candidate}, {METRIC: served}, gain, images)
    assert ruling.better is better
    assert ruling.reason


def test_the_reason_holds_both_figures() -> None:
    ruling = judge(METRIC, {METRIC: 0.61234}, {METRIC: 0.5}, 0.0, 12)
    assert (
        ruling.reason == "mAP50-95(B) 0.612 against 0.500 of the served version on 12 images: better by 0.112"
    )


def test_a_gain_that_is_too_small_names_the_setting() -> None:
    assert "minimumGain asks for 0.1" in judge(METRIC, {METRIC: 0.55}, {METRIC: 0.5}, 0.1, 12).reason


def test_a_candidate_without_the_metric_is_not_promoted() -> None:
    assert not judge(METRIC, {"fitness": 0.9}, {METRIC: 0.5}, 0.0, 12).better
