"""What is read of a watch, and what kopf is left with, however the bytes arrive."""

import json
from collections.abc import AsyncIterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lsb_operator.changes import EXPIRED, Changes

GONE = {"type": "ERROR", "object": {"kind": "Status", "code": 410}}


def change(kind: str, version: int) -> dict[str, Any]:
    return {"type": kind, "object": {"metadata": {"name": "a", "resourceVersion": str(version)}}}


def mark(version: int) -> dict[str, Any]:
    return {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(version)}}}


class Content:
    """The bytes of an answer, in the pieces in which they arrive."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece

    def exception(self) -> None:
        return None


async def _read(pieces: list[bytes]) -> tuple[list[tuple[str, str]], list[dict[str, Any]]]:
    """What was seen, and what is left."""
    seen: list[tuple[str, str]] = []

    def see(kind: str, resource: dict[str, Any]) -> None:
        seen.append((kind, resource["metadata"]["resourceVersion"]))

    changes = Changes(Content(pieces), see)  # type: ignore[arg-type]
    left = b"".join([data async for data in changes.iter_chunked(1)])
    return seen, [json.loads(line) for line in left.splitlines()]


def lines(*contents: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(content).encode() + b"\n" for content in contents)


async def test_changes_are_seen_and_the_version_of_the_last_one_is_left() -> None:
    seen, left = await _read([lines(change("ADDED", 3), change("MODIFIED", 5), change("DELETED", 4))])
    assert seen == [("ADDED", "3"), ("MODIFIED", "5"), ("DELETED", "4")]
    assert left == [mark(4)]


async def test_what_is_no_change_is_passed_on_in_its_place() -> None:
    seen, left = await _read([lines(change("ADDED", 3), mark(7), GONE)])
    assert seen == [("ADDED", "3")]
    assert left == [mark(3), mark(7), GONE]


async def test_a_watch_that_the_server_cannot_go_on_with_begins_anew_as_one_that_is_too_old() -> None:
    failed = {"type": "ERROR", "object": {"kind": "Status", "code": 500, "message": "etcd is away"}}
    seen, left = await _read([lines(change("ADDED", 3), failed)])
    assert seen == [("ADDED", "3")]
    assert left == [mark(3), EXPIRED]


async def test_an_answer_without_changes_leaves_nothing() -> None:
    assert await _read([b"\n", b""]) == ([], [])


async def test_all_else_is_the_content_s_own() -> None:
    assert Changes(Content([]), lambda *_: None).exception() is None  # type: ignore[arg-type]


@given(st.lists(st.sampled_from(["ADDED", "MODIFIED", "DELETED"]), min_size=1), st.lists(st.integers(1, 60)))
async def test_nothing_is_lost_however_it_is_cut(kinds: list[str], cuts: list[int]) -> None:
    data = lines(*(change(kind, number) for number, kind in enumerate(kinds)))
    pieces = []
    for cut in cuts:
        pieces.append(data[:cut])
        data = data[cut:]
    seen, left = await _read([*pieces, data])
    assert seen == [(kind, str(number)) for number, kind in enumerate(kinds)]
    assert left[-1] == mark(len(kinds) - 1)
