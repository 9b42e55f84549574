"""Classes in the order of the label configs."""

from typing import Any

import pytest

from lsb_backend.dataset.classes import classes
from lsb_backend.labels.config import LabelConfigError


def config(*labels: str) -> str:
    listed = "".join(f'<Label value="{label}"/>' for label in labels)
    return (
        '<View><Image name="i" value="$i"/>'
        f'<RectangleLabels name="l" toName="i">{listed}</RectangleLabels></View>'
    )


def test_classes_are_not_sorted(make: Any) -> None:
    assert classes([(1, make.config)], "detect") == ("zebra", "ant")


def test_projects_are_joined_in_first_seen_order() -> None:
    assert classes([(1, config("b", "a")), (2, config("c", "A", "b"))], "detect") == ("b", "a", "c")


def test_a_project_with_nothing_to_learn_is_named(make: Any) -> None:
    with pytest.raises(LabelConfigError, match=r"^Project 4: .*RectangleLabels"):
        classes([(1, make.config), (4, make.polygon_config)], "detect")
