"""What a project should hold, and when it already does."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsb_backend.label_studio.records import Backend, Webhook
from lsb_backend.label_studio.wanted import BasicAuth, Wanted, ours, settled
from lsb_crds.errors import UserError

BASIC = st.none() | st.builds(BasicAuth, *[st.from_regex(r"[!-9;-~]{1,12}", fullmatch=True)] * 2)
WANTED = st.builds(
    Wanted,
    st.from_regex(r"https?://[a-z]{1,9}\.[a-z]{1,5}(:[1-9][0-9]{0,3})?(/[a-z]{1,5})?", fullmatch=True),
    st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True),
    BASIC,
)


def stored(wanted: Wanted, **changes: Any) -> Backend:
    """The row that Label Studio shows after it took what is wanted."""
    fields = wanted.backend(7)
    password = bool(fields.pop("basic_auth_pass", ""))
    return Backend.model_validate(
        {**fields, "id": 1, "state": "CO", "basic_auth_pass_is_set": password, **changes}
    )


def hook(wanted: Wanted) -> Webhook:
    return Webhook.model_validate({**wanted.webhook(), "id": 1, "project": 7})


@settings(deadline=None)
@given(WANTED)
def test_what_was_written_needs_no_second_writing(wanted: Wanted) -> None:
    assert settled(stored(wanted), [hook(wanted)], wanted)


@settings(deadline=None)
@given(WANTED, WANTED)
def test_any_difference_is_written(one: Wanted, other: Wanted) -> None:
    assert settled(stored(one), [hook(one)], other) == (one == other)


@settings(deadline=None)
@given(WANTED, st.sampled_from(["DI", "ER", "TR", "PR"]))
def test_a_backend_that_label_studio_could_not_reach_is_written_again(wanted: Wanted, state: str) -> None:
    assert not settled(stored(wanted, state=state), [hook(wanted)], wanted)


@settings(deadline=None)
@given(WANTED)
def test_ours_are_rows_of_our_address_or_with_our_mark(wanted: Wanted) -> None:
    by_hand = stored(wanted, id=2, description="", url=wanted.url + "/")
    moved = stored(wanted, id=3, url="http://elsewhere.example:9090")
    foreign = stored(wanted, id=4, url="http://elsewhere.example:9090", description="")
    assert ours([by_hand, moved, foreign], wanted) == [by_hand, moved]


def test_no_password_is_shown() -> None:
    assert "s3cret" not in repr(Wanted("http://host.example", "x", BasicAuth("alice", "s3cret")))


@pytest.mark.parametrize(
    ("user", "password"), [("", "x"), ("x", ""), ("ü", "x"), ("x", "a\nb"), ("a:b", "x")]
)
def test_credentials_that_label_studio_cannot_send_are_refused(user: str, password: str) -> None:
    with pytest.raises(UserError, match="must be ASCII"):
        BasicAuth(user, password)


@pytest.mark.parametrize(
    "url", ["", "localhost:9090", "ftp://host", "http://", "http://host:0", "http://h:99999"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UserError, match=r"labelStudio\.backendURL is"):
        Wanted(url, "x", None)


def test_credentials_in_the_address_are_refused_and_not_repeated() -> None:
    with pytest.raises(UserError, match="must not hold user or password") as caught:
        Wanted("http://alice:s3cret@host:9090", "x", None)
    assert "s3cret" not in str(caught.value)
