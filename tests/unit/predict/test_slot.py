"""A model stays until the last request that began with it has ended."""

import pytest

from lsb_backend.predict.errors import NoModelError
from lsb_backend.predict.slot import Slot
from lsb_backend.runtime.base import Runtime

from .conftest import Model, served


def test_before_the_first_model_there_is_nothing_to_hold() -> None:
    slot = Slot(retire=lambda _: None)
    assert slot.current is None
    with pytest.raises(NoModelError, match="No model is loaded yet"), slot.hold():
        pass


def test_the_old_model_is_retired_when_its_last_holder_leaves() -> None:
    retired: list[Runtime] = []
    slot = Slot(retired.append)
    old, new = served(Model()), served(Model(), "2-00000002")
    slot.swap(old)
    with slot.hold() as first:
        with slot.hold() as second:
            slot.swap(new)
            assert slot.current is new
            with slot.hold() as third:
                assert third is new
        assert retired == []
    assert (first, second) == (old, old)
    assert retired == [old.runtime]
    with slot.hold() as current:
        assert current is new
    assert retired == [old.runtime]


def test_a_model_that_nobody_holds_is_retired_at_once() -> None:
    retired: list[Runtime] = []
    slot = Slot(retired.append)
    old = served(Model())
    slot.swap(old)
    slot.swap(served(Model(), "2-00000002"))
    assert retired == [old.runtime]


def test_a_request_that_fails_lets_go_of_its_model() -> None:
    retired: list[Runtime] = []
    slot = Slot(retired.append)
    old = served(Model())
    slot.swap(old)

    def fail() -> None:
        with slot.hold():
            slot.swap(served(Model(), "2-00000002"))
            raise ValueError("failed")

    with pytest.raises(ValueError, match="failed"):
        fail()
    assert retired == [old.runtime]
