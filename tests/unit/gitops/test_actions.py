"""The buttons in Argo CD: which may be pressed, and what each does."""

import re
from collections.abc import Callable
from typing import Any, get_args

import pytest

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.results import TrainingPhase
from lsb_crds.training import LabelStudioTraining
from lsb_operator import marks, names

Json = Any
Actions = Callable[[Json], Json]
Act = Callable[[str, Json], Json]
LONGEST = "a" * 40


def backend(name: str = "cats", **spec: Any) -> Json:
    """A live LabelStudioBackend."""
    return {
        "apiVersion": "lsbackends.dev/v1alpha1",
        "kind": "LabelStudioBackend",
        "metadata": {"name": name, "namespace": "studio", "uid": "1", "generation": 1},
        "spec": {"labelStudio": {"url": "http://label-studio:8080"}, **spec},
    }


def training(phase: str | None, **metadata: Any) -> Json:
    """A live LabelStudioTraining."""
    found = {
        "apiVersion": "lsbackends.dev/v1alpha1",
        "kind": "LabelStudioTraining",
        "metadata": {"name": "t", "namespace": "studio", "uid": "1", **metadata},
        "spec": {"backend": "cats"},
    }
    return found | ({"status": {"phase": phase}} if phase else {})


@pytest.mark.parametrize("spec", [{}, {"suspend": False}])
def test_what_runs_can_be_trained_and_paused(actions: Actions, spec: Json) -> None:
    assert actions(backend(**spec)) == {"train": False, "pause": False, "resume": True}


def test_what_is_paused_can_be_resumed_alone(actions: Actions) -> None:
    assert actions(backend(suspend=True)) == {"train": True, "pause": True, "resume": False}


@pytest.mark.parametrize("phase", [None, *get_args(TrainingPhase)])
def test_only_what_waits_for_approval_can_be_promoted(actions: Actions, phase: str | None) -> None:
    assert actions(training(phase)) == {"promote": phase != "AwaitingApproval"}


@pytest.mark.parametrize(("action", "suspend"), [("pause", True), ("resume", False)])
def test_pause_and_resume_change_one_field(act: Act, action: str, suspend: bool) -> None:
    before = backend(suspend=not suspend)
    after = act(action, before)
    assert after == before | {"spec": before["spec"] | {"suspend": suspend}}
    assert LabelStudioBackend.model_validate(after).spec.suspend is suspend


@pytest.mark.parametrize("name", ["cats", LONGEST])
def test_train_creates_a_training_that_goes_with_its_backend(act: Act, name: str) -> None:
    (created,) = act("train", backend(name))
    assert created["operation"] == "create"
    made = LabelStudioTraining.model_validate(created["resource"])
    assert re.fullmatch(rf"{name}-\d{{10}}", made.metadata.name)
    assert (made.spec.backend, made.spec.reason) == (name, "Manual")
    assert made.metadata.namespace == "studio"
    assert made.metadata.labels == {names.BACKEND: name}
    (owner,) = made.metadata.owner_references
    assert owner == {
        "apiVersion": "lsbackends.dev/v1alpha1",
        "kind": "LabelStudioBackend",
        "name": name,
        "uid": "1",
        "controller": True,
    }


@pytest.mark.parametrize("annotations", [None, {"note": "kept"}])
def test_promote_says_the_word_that_the_operator_waits_for(act: Act, annotations: Json) -> None:
    about = {"annotations": annotations} if annotations else {}
    after = act("promote", training("AwaitingApproval", **about))
    assert after["metadata"]["annotations"] == {**(annotations or {}), marks.APPROVED: "true"}
    assert after["spec"] == {"backend": "cats"}
