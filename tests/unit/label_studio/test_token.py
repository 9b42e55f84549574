"""Where the token comes from, which kind it is, and how often it is exchanged."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsb_backend.label_studio.token import FRESH_SECONDS, Credentials, kind, read_token
from lsb_crds.errors import UserError

PERSONAL = "head.body.signature"
LEGACY = "0123456789abcdef"


def test_the_file_counts_before_the_variable(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"  {PERSONAL}\r\n")
    assert read_token(file, {"LABEL_STUDIO_API_KEY": LEGACY}) == PERSONAL
    assert read_token(None, {"LABEL_STUDIO_API_KEY": LEGACY}) == LEGACY


@pytest.mark.parametrize(
    "content", [b"", b" \n", b"a\nb", b"a b", b"a\x00b", "schlüssel".encode(), b"\xff\xfe"]
)
def test_what_cannot_be_a_token_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_token(file, {})
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_token_says_where_to_get_one() -> None:
    with pytest.raises(UserError, match=r"LABEL_STUDIO_API_KEY is empty or not set.*--token-file"):
        read_token(None, {})


@pytest.mark.parametrize(
    "make", [lambda path: None, Path.mkdir, lambda path: path.write_bytes(b"a" * 20_000)]
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "token")
    with pytest.raises(UserError, match="token file"):
        read_token(tmp_path / "token", {})


@settings(deadline=None)
@given(st.text(min_size=8).filter(lambda text: not text.isascii() and len(text.strip()) >= 8))
def test_a_refused_token_is_not_repeated(token: str) -> None:
    with pytest.raises(UserError) as caught:
        read_token(None, {"LABEL_STUDIO_API_KEY": token})
    assert token.strip() not in str(caught.value)


def test_the_two_kinds_are_told_apart() -> None:
    assert kind(PERSONAL) == "personal"
    assert kind(LEGACY) == "legacy"
    assert kind("chosen.by-hand") == "legacy"


class Exchange:
    """Counts the exchanges, and lets them wait or fail."""

    def __init__(self) -> None:
        self.count = 0
        self.now = 0.0
        self.token = PERSONAL
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.error: Exception | None = None
        self.credentials = Credentials(lambda: self.token, self.refresh, lambda: self.now)

    async def refresh(self, token: str) -> str:
        self.count += 1
        self.begun.set()
        await self.open.wait()
        if self.error:
            raise self.error
        return f"access-{self.count}"

    async def header(self) -> str:
        return (await self.credentials.headers())["Authorization"]


async def test_an_access_token_is_kept_and_replaced_before_label_studio_drops_it() -> None:
    exchange = Exchange()
    assert FRESH_SECONDS < 300
    assert [await exchange.header(), await exchange.header()] == ["Bearer access-1"] * 2
    exchange.now = FRESH_SECONDS
    assert await exchange.header() == "Bearer access-2"


async def test_many_callers_share_one_exchange() -> None:
    exchange = Exchange()
    exchange.open.clear()
    callers = [asyncio.create_task(exchange.header()) for _ in range(50)]
    await exchange.begun.wait()
    callers[0].cancel()
    exchange.open.set()
    results = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == ["Bearer access-1"] * 49
    assert exchange.count == 1


async def test_a_failed_exchange_is_tried_again_by_the_next_caller() -> None:
    exchange = Exchange()
    exchange.error = ValueError("down")
    with pytest.raises(ValueError, match="down"):
        await exchange.header()
    exchange.error = None
    assert await exchange.header() == "Bearer access-2"


async def test_only_the_rejected_header_is_thrown_away() -> None:
    exchange = Exchange()
    old = await exchange.credentials.headers()
    exchange.credentials.reject(old)
    assert await exchange.header() == "Bearer access-2"
    exchange.credentials.reject(old)  # a slow answer to an old request
    assert await exchange.header() == "Bearer access-2"


async def test_a_legacy_token_is_sent_as_it_is_and_read_again_when_rejected() -> None:
    exchange = Exchange()
    exchange.token = LEGACY
    headers = await exchange.credentials.headers()
    assert headers == {"Authorization": f"Token {LEGACY}"}
    exchange.token = "changed"
    exchange.credentials.reject(headers)
    assert await exchange.header() == "Token changed"
    assert exchange.count == 0
