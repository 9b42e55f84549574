"""What the models promise to Python: immutability, live objects of newer releases, conditions in words."""

import ast
import inspect
from enum import StrEnum

import pytest
from pydantic import ValidationError

from lsb_crds import conditions
from lsb_crds.backend import LabelStudioBackend
from lsb_crds.rule import Rule

LIVE = {
    "apiVersion": "lsbackends.dev/v1alpha1",
    "kind": "LabelStudioBackend",
    "metadata": {
        "name": "cats",
        "uid": "1",
        "managedFields": [{"manager": "kubectl"}],
        "creationTimestamp": None,
    },
    "spec": {"labelStudio": {"url": "http://studio", "ofTomorrow": 1}, "serving": {"ofTomorrow": {}}},
}


def test_a_field_of_a_newer_release_is_refused_in_a_manifest_and_ignored_in_a_live_object() -> None:
    with pytest.raises(ValidationError):
        LabelStudioBackend.model_validate(LIVE)
    backend = LabelStudioBackend.model_validate(LIVE, extra="ignore")
    assert backend.spec.label_studio.register_backend is True


def test_a_backend_cannot_be_changed() -> None:
    backend = LabelStudioBackend.model_validate(LIVE, extra="ignore")
    with pytest.raises(ValidationError, match="frozen"):
        backend.spec.suspend = True  # type: ignore[misc]


@pytest.mark.parametrize("kind", [conditions.BackendCondition, conditions.TrainingCondition])
def test_every_condition_says_what_it_means_and_when_it_is_absent(kind: type[StrEnum]) -> None:
    (declaration,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(declaration, ast.ClassDef)
    body = declaration.body[1:]
    for assignment, text in zip(body[::2], body[1::2], strict=True):
        assert isinstance(assignment, ast.Assign)
        assert isinstance(text, ast.Expr)
        assert isinstance(text.value, ast.Constant)
        assert "True" in str(text.value.value)
    assert len(body) == 2 * len(kind)


def test_a_rule_names_the_field_for_the_api_server() -> None:
    rule = Rule(cel="self.a < self.b", message="a must be less than b", field="a")
    assert rule.kubernetes() == {
        "rule": "self.a < self.b",
        "message": "a must be less than b",
        "fieldPath": ".a",
    }
