"""What was decided in a cluster reaches the store whenever it is told, and however often."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lsb_backend.store.card import Card
from lsb_backend.store.decisions import record
from lsb_backend.store.promotion import Verdict
from lsb_backend.store.store import Store
from lsb_crds.decisions import Decisions

Add = Callable[[str], Card]


def test_an_approval_and_a_roll_back_are_written_down_once(store: Store, add: Add) -> None:
    _, approved, broken = (add(name).version for name in ("first", "approved", "broken"))
    store.await_approval(approved)
    store.promote(broken)
    told = Decisions(promoted=approved, rolled_back=(broken,))
    for _ in range(2):
        record(store, told)
        assert store.promotion().promoted == approved
        assert store.promotion().verdict(broken) is Verdict.ROLLED_BACK
    assert len(store.promotion().history) == 5


def test_old_news_takes_no_newer_version_away(store: Store, add: Add) -> None:
    _, second, third = (add(name).version for name in ("first", "second", "third"))
    store.await_approval(second)
    store.promote(third)
    record(store, Decisions(promoted=second))
    assert store.promotion().promoted == third


def test_versions_that_are_gone_and_an_empty_store_are_no_failure(store: Store, add: Add) -> None:
    told = Decisions(promoted="7-01234567", rolled_back=("8-01234567",))
    record(store, told)
    first = add("first").version
    record(store, told)
    assert store.promotion().promoted == first


def test_the_only_version_stays_whatever_is_said_of_it(
    store: Store, add: Add, caplog: pytest.LogCaptureFixture
) -> None:
    first = add("first").version
    record(store, Decisions(rolled_back=(first,)))
    assert store.promotion().promoted == first
    assert "cannot be rolled back" in caplog.text


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=40))
def test_what_is_no_decision_decides_nothing(text: str) -> None:
    assert Decisions.read(text) == Decisions()
    assert Decisions.read(f'{{"promoted": "{text}/../"}}') == Decisions()


def test_a_text_holds_all_of_it() -> None:
    told = Decisions(promoted="3-0a1b2c3d", rolled_back=("4-0a1b2c3d", "5-0a1b2c3d"))
    assert Decisions.read(told.text()) == told
    # A newer release may say more.
    assert Decisions.read('{"promoted": "3-0a1b2c3d", "later": 1}').promoted == "3-0a1b2c3d"
