"""The body of /predict as Label Studio sends it, in its two forms, and as it may become."""

from typing import Any

import pytest
from pydantic import ValidationError

from lsb_backend.predict.request import PredictRequest

BODY: dict[str, Any] = {
    "tasks": [
        {
            "id": 1,
            "data": {"image": "/data/upload/1/e0d1a758-img.png", "other": {"deep": [1]}},
            "meta": {},
            "created_at": "2026-11-22T09:25:44.998730Z",
            "is_labeled": False,
            "inner_id": 1,
            "total_annotations": 0,
            "project": 1,
            "updated_by": None,
            "file_upload": 1,
            "annotations": [],
            "predictions": [],
        }
    ],
    "project": "1.1795338164",
    "label_config": "<View/>",
    "params": {"login": None, "password": None, "context": None},
}


def test_what_label_studio_sends_is_read() -> None:
    request = PredictRequest.model_validate(BODY)
    assert request.project_id == 1
    assert not request.interactive
    assert [(task.id, task.project, task.data["image"]) for task in request.tasks] == [
        (1, 1, "/data/upload/1/e0d1a758-img.png")
    ]


@pytest.mark.parametrize("context", [{"result": [{"id": "a", "value": {"x": 1}}]}, {}])
def test_a_smart_tool_is_recognised(context: object) -> None:
    assert PredictRequest.model_validate(BODY | {"params": {"context": context}}).interactive


@pytest.mark.parametrize("params", [{}, None, {"context": None}])
def test_without_a_context_nobody_waits_at_a_smart_tool(params: object) -> None:
    assert not PredictRequest.model_validate(BODY | {"params": params}).interactive


@pytest.mark.parametrize(
    ("project", "number"),
    [("12.34", 12), ("12", 12), (12, 12), (None, None), ("x", None), ("9" * 5000, None), ("9\n", None)],
)
def test_the_number_of_the_project(project: object, number: int | None) -> None:
    assert PredictRequest.model_validate(BODY | {"project": project}).project_id == number


@pytest.mark.parametrize("field", ["id", "project"])
def test_a_number_of_a_thousand_digits_is_refused(field: str) -> None:
    with pytest.raises(ValidationError):
        PredictRequest.model_validate(BODY | {"tasks": [{field: int("9" * 1000)}]})


def test_most_fields_may_be_absent() -> None:
    request = PredictRequest.model_validate({"tasks": [{}], "label_config": "<View/>"})
    assert request.tasks[0].data == {}
    assert request.project_id is None


@pytest.mark.parametrize("body", [{}, {"tasks": {}}, {"tasks": [1], "label_config": ""}, {"tasks": []}])
def test_what_cannot_be_answered_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PredictRequest.model_validate(body)
