"""The split of tasks into training and validation, which must never change its mind."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsb_backend.dataset.split import Part, Split, position
from lsb_crds.errors import UserError

KEYS = st.lists(st.integers(1, 10_000).map("1:{}".format), unique=True, max_size=60)


def validation(split: Split, keys: list[str]) -> set[str]:
    return {key for key in keys if split.part(key) is Part.VALIDATION}


@given(first=KEYS, second=KEYS, fractions=st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)))
def test_a_task_once_in_validation_never_enters_training(
    first: list[str], second: list[str], fractions: tuple[float, float]
) -> None:
    split = Split(Path("unused"), {})
    split.assign(first, fractions[0])
    before = validation(split, first)
    split.assign(first + second, fractions[1])
    assert before <= validation(split, first)


@given(keys=KEYS.filter(lambda keys: len(keys) >= 2), fraction=st.floats(0, 0.5))
def test_two_tasks_or_more_never_leave_validation_empty(keys: list[str], fraction: float) -> None:
    split = Split(Path("unused"), {})
    split.assign(keys, fraction)
    assert validation(split, keys)


@given(keys=KEYS, fraction=st.floats(0, 0.5))
def test_the_order_of_tasks_does_not_matter(keys: list[str], fraction: float) -> None:
    one, other = Split(Path("unused"), {}), Split(Path("unused"), {})
    one.assign(keys, fraction)
    other.assign(reversed(keys), fraction)
    assert validation(one, keys) == validation(other, keys)


def test_about_the_wanted_fraction_judges() -> None:
    keys = [f"3:{number}" for number in range(10_000)]
    split = Split(Path("unused"), {})
    split.assign(keys, 0.2)
    assert 1800 < len(validation(split, keys)) < 2200


def test_the_task_with_the_lowest_hash_joins_an_empty_validation_set_for_good() -> None:
    keys = [f"1:{number}" for number in range(5)]
    lowest = min(keys, key=position)
    split = Split(Path("unused"), {})
    split.assign(keys, 0.0)
    assert validation(split, keys) == {lowest}
    split.assign([*keys, "1:99"], 0.0)
    assert validation(split, [*keys, "1:99"]) == {lowest}


def test_a_lone_task_is_trained_on() -> None:
    split = Split(Path("unused"), {})
    split.assign(["1:1"], 0.0)
    assert split.part("1:1") is Part.TRAIN
    assert not split.ensure_validation(["1:1"])


def test_the_same_task_number_in_two_projects_is_decided_apart() -> None:
    keys = [f"{project}:{task}" for project in (1, 2) for task in range(200)]
    split = Split(Path("unused"), {})
    split.assign(keys, 0.5)
    assert any(split.part(f"1:{task}") != split.part(f"2:{task}") for task in range(200))


def test_a_saved_split_is_read_back(split: Split, tmp_path: Path) -> None:
    split.assign([f"1:{number}" for number in range(20)], 0.3)
    split.save()
    again = Split.load(tmp_path / "split.json")
    assert all(again.part(f"1:{number}") is split.part(f"1:{number}") for number in range(20))
    assert [path.name for path in tmp_path.iterdir()] == ["split.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"1:1": "test"}', b"\xff"])
def test_a_damaged_split_is_refused_in_one_line_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "split.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"split\.json is not a split") as caught:
        Split.load(path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content
