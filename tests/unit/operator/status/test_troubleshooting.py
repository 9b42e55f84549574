"""The page that people open when something is wrong knows every reason there is."""

import ast
import inspect
from typing import get_args

import pytest
from chart.made import ROOT

from lsb_crds.results import TrainingResult
from lsb_operator import approval, attempt, trainings, waiting
from lsb_operator.reasons import OF_TRAININGS, Reason

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_on_the_page(reason: Reason) -> None:
    assert f"`{reason}`" in PAGE


@pytest.mark.parametrize("reason", OF_TRAININGS)
def test_every_reason_of_a_training_is_on_the_page(reason: str) -> None:
    assert f"`{reason}`" in PAGE


def test_every_reason_that_a_training_is_given_has_a_meaning() -> None:
    given = {*get_args(TrainingResult.model_fields["outcome"].annotation)}
    for module in (approval, attempt, trainings, waiting):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            match node:
                # `Standing("Pending", "NoPod", ...)`, and `return "Rejected", "Disapproved", ...`.
                case ast.Call(
                    func=ast.Name(id="Standing" | "standing"), args=[_, ast.Constant(value=reason), *_]
                ):
                    given.add(reason)
                case ast.Return(value=ast.Tuple(elts=[ast.Constant(), ast.Constant(value=reason), *_])):
                    given.add(reason)
                case ast.Return(value=ast.Tuple(elts=[ast.Constant(value=reason), ast.JoinedStr()])):
                    given.add(reason)
    assert {"NoPod", "Disapproved", "BadData", "QueueFull"} <= given
    assert given <= OF_TRAININGS.keys()
