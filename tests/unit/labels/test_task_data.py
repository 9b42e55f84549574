"""Finding the image in a task's data."""

import pytest

from lsb_backend.labels.task_data import TaskDataError, image_value


def test_plain_and_nested_keys() -> None:
    assert image_value({"image": "/data/a.png"}, "image") == "/data/a.png"
    assert image_value({"a": {"b": "x"}}, "a.b") == "x"
    assert image_value({"a.b": "flat", "a": {"b": "nested"}}, "a.b") == "flat"


@pytest.mark.parametrize("data", [{}, {"picture": "x"}, {"image": None}])
def test_a_task_without_the_data_key_says_what_it_has(data: dict[str, object]) -> None:
    with pytest.raises(TaskDataError, match="no image under 'image'") as caught:
        image_value(data, "image")
    assert all(key in str(caught.value) for key in data)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(5, "a number"), (True, "a boolean"), ([], "a list"), ({"a": "x"}, "an object"), (" ", "an empty text")],
)
def test_a_value_that_is_no_text_is_called_what_it_is(value: object, kind: str) -> None:
    with pytest.raises(TaskDataError, match=f"has {kind} under 'image', and needs"):
        image_value({"image": value}, "image")


def test_of_many_or_long_keys_some_are_named() -> None:
    with pytest.raises(TaskDataError) as caught:
        image_value({"k" * 5000 + str(number): "x" for number in range(2000)}, "image")
    assert "1990 more" in str(caught.value)
    assert len(str(caught.value)) < 1200


def test_a_path_through_something_that_is_no_object() -> None:
    with pytest.raises(TaskDataError):
        image_value({"a": "text"}, "a.b")
