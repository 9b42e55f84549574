"""Which clusters are new enough for the operator."""

import pytest

from lsb_operator.prerequisites import OLDEST, too_old


@pytest.mark.parametrize(("major", "minor"), [("1", "31"), ("1", "31+"), ("1", "36"), ("2", "0")])
def test_a_cluster_that_has_what_is_used_is_accepted(major: str, minor: str) -> None:
    assert too_old({"major": major, "minor": minor}) is None


@pytest.mark.parametrize(("major", "minor"), [("1", "30"), ("1", "30+"), ("1", "9"), ("0", "99")])
def test_an_older_one_is_named_with_what_it_lacks(major: str, minor: str) -> None:
    complaint = too_old({"major": major, "minor": minor})
    assert complaint is not None
    assert f"Kubernetes {major}.{minor.rstrip('+')}" in complaint
    assert f"needs {OLDEST[0]}.{OLDEST[1]} or newer" in complaint
    assert "To do: upgrade the cluster" in complaint


@pytest.mark.parametrize("answer", [{}, {"major": "", "minor": ""}, {"major": "v", "minor": "x"}])
def test_an_answer_that_says_nothing_stops_nobody(answer: dict[str, str]) -> None:
    assert too_old(answer) is None
