"""What serves after each decision, and what can never happen."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsb_backend.store.promotion import Decision, Promotion, Verdict, decide, pin
from lsb_crds.errors import UserError

VERSIONS = [f"{sequence}-{sequence:08x}" for sequence in range(4)]


def after(*decisions: tuple[str, Verdict]) -> Promotion:
    promotion = Promotion()
    for version, verdict in decisions:
        promotion = decide(promotion, Decision(version=version, verdict=verdict))
    return promotion


def promoted(*versions: str) -> list[tuple[str, Verdict]]:
    return [(version, Verdict.PROMOTED) for version in versions]


def test_the_last_promoted_serves_and_the_one_before_is_remembered() -> None:
    promotion = after(*promoted(*VERSIONS[:3]))
    assert (promotion.promoted, promotion.previous) == (VERSIONS[2], VERSIONS[1])


def test_the_same_verdict_twice_is_one_entry() -> None:
    once = after(*promoted(*VERSIONS[:2]))
    again = decide(
        once, Decision(version=VERSIONS[1], verdict=Verdict.PROMOTED, at=datetime(2030, 1, 1, tzinfo=UTC))
    )
    assert again == once


def test_a_repeated_promotion_of_the_first_version_does_not_bring_it_back() -> None:
    promotion = after(*promoted(VERSIONS[0], VERSIONS[1], VERSIONS[0]))
    assert promotion.promoted == VERSIONS[1]


@pytest.mark.parametrize("verdict", [Verdict.REJECTED, Verdict.AWAITING_APPROVAL])
def test_a_version_not_promoted_does_not_serve(verdict: Verdict) -> None:
    promotion = after(*promoted(VERSIONS[0]), (VERSIONS[1], verdict))
    assert promotion.promoted == VERSIONS[0]
    assert promotion.verdict(VERSIONS[1]) is verdict


def test_an_approved_version_serves() -> None:
    promotion = after(
        *promoted(VERSIONS[0]), (VERSIONS[1], Verdict.AWAITING_APPROVAL), (VERSIONS[1], Verdict.PROMOTED)
    )
    assert promotion.promoted == VERSIONS[1]


def test_a_roll_back_serves_the_one_before_for_good() -> None:
    promotion = after(*promoted(*VERSIONS[:3]), (VERSIONS[2], Verdict.ROLLED_BACK))
    assert (promotion.promoted, promotion.previous) == (VERSIONS[1], VERSIONS[0])
    assert decide(promotion, Decision(version=VERSIONS[2], verdict=Verdict.PROMOTED)) == promotion


def test_a_version_rolled_back_before_it_served_is_not_promoted() -> None:
    with pytest.raises(UserError, match="was rolled back"):
        after(*promoted(VERSIONS[0]), (VERSIONS[1], Verdict.ROLLED_BACK), *promoted(VERSIONS[1]))


def test_a_rolled_back_version_is_not_what_the_next_roll_back_returns_to() -> None:
    promotion = after(
        *promoted(*VERSIONS[:3]),
        (VERSIONS[2], Verdict.ROLLED_BACK),
        *promoted(VERSIONS[3]),
        (VERSIONS[3], Verdict.ROLLED_BACK),
    )
    assert promotion.promoted == VERSIONS[1]


def test_a_roll_back_takes_off_the_pin() -> None:
    promotion = decide(
        pin(after(*promoted(*VERSIONS[:2])), VERSIONS[1]),
        Decision(version=VERSIONS[1], verdict=Verdict.ROLLED_BACK),
    )
    assert (promotion.promoted, promotion.pinned) == (VERSIONS[0], None)


def test_the_only_version_cannot_be_rolled_back() -> None:
    with pytest.raises(UserError, match="no earlier version"):
        after(*promoted(VERSIONS[0]), (VERSIONS[0], Verdict.ROLLED_BACK))


def test_a_diverged_candidate_is_recorded_without_a_figure() -> None:
    decision = Decision(version=VERSIONS[1], verdict=Verdict.REJECTED, candidate=float("nan"), served=0.4)
    assert (
        Promotion.model_validate_json(Promotion(history=(decision,)).model_dump_json()).history[0] == decision
    )
    assert (decision.candidate, decision.served) == (None, 0.4)


@given(st.lists(st.tuples(st.sampled_from(VERSIONS), st.sampled_from(Verdict)), max_size=12))
def test_whatever_is_decided_what_serves_was_promoted_and_stands(
    decisions: list[tuple[str, Verdict]],
) -> None:
    promotion = Promotion()
    for version, verdict in decisions:
        try:
            promotion = decide(promotion, Decision(version=version, verdict=verdict))
        except UserError:
            continue
        for chosen in (promotion.promoted, promotion.previous):
            if chosen is not None:
                assert promotion.has(chosen, Verdict.PROMOTED)
                assert not promotion.has(chosen, Verdict.ROLLED_BACK)
        assert promotion.promoted is None or promotion.promoted != promotion.previous
    assert len({(entry.version, entry.verdict) for entry in promotion.history}) == len(promotion.history)
