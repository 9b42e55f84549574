"""A list is read item by item, and means what Python's own parser says it means."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsb_backend.label_studio.long_list import read_list

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def same(item: Any) -> Any:
    return item


@given(values, st.sampled_from([None, 1]), st.booleans())
def test_it_reads_what_json_reads(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert read_list(f" {text}\n".encode(errors="replace"), same) == json.loads(
        text.encode(errors="replace").decode()
    )


def test_each_item_is_looked_at_before_the_next_one_is_read() -> None:
    seen: list[Any] = []
    with pytest.raises(json.JSONDecodeError, match="Expecting value"):
        read_list(b'[{"id": 1}, {"id": 2}, nonsense', seen.append)
    assert seen == [{"id": 1}, {"id": 2}]


@pytest.mark.parametrize("text", ["", " ", "[1, ]", "[1] 2", "[1 2]", "[,1]", "[1},", "[[1]", '["a', "\f[1]"])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
    with pytest.raises(json.JSONDecodeError):
        read_list(text.encode(), same)


def test_a_list_that_breaks_off_anywhere_is_refused() -> None:
    whole = b'[{"id": 1, "annotations": [{"x": 1.5e3}]}, [], "a\\"]", 25, null]'
    assert len(read_list(whole, same)) == 5
    for length in range(len(whole)):
        with pytest.raises(json.JSONDecodeError):
            read_list(whole[:length], same)
