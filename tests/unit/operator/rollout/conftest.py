"""A backend that serves, as facts."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolve import resolve
from lsb_operator.facts import Facts, Observed, PodFacts, Terminated, TrainingFacts, Waiting
from lsb_operator.rollout import Model, roll

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
Roll = Callable[..., Model]


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def decided() -> Roll:
    """`roll` on facts made of its arguments."""

    def run(
        model: Model,
        *pods: PodFacts,
        pin: str | None = None,
        promoted: tuple[str, ...] = (),
        rollout: str = "RollingUpdate",
        gave_up: bool = False,
    ) -> Model:
        spec: dict[str, Any] = {
            "labelStudio": {"url": "http://studio:8080"},
            "model": {"version": pin},
            "serving": {"rollout": rollout},
        }
        raw = {"metadata": {"name": "cats", "namespace": "studio", "uid": "1"}, "spec": spec}
        backend = LabelStudioBackend.model_validate(raw)
        trainings = tuple(
            TrainingFacts(f"t{number}", phase="Succeeded", promoted=version, finished_at=NOW)
            for number, version in enumerate(promoted)
        )
        stuck = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
        status = {"conditions": [stuck]} if gave_up else {}
        children = {("Deployment", "cats"): Observed({"name": "cats"}, True, status)}
        facts = Facts(raw, NOW, children=children, pods=pods, trainings=trainings, target=model.target)
        return roll(backend, resolve(backend, "1.0"), facts, model)

    return run


@pytest.fixture
def pod() -> Callable[..., PodFacts]:
    """A serving pod that does not serve, unless it is said to be ready."""

    def make(version: str | None, code: int | None = None, reason: str = "Error", **more: Any) -> PodFacts:
        ended = more.pop("ended", None) or (
            Terminated("serve", code, reason, "ValueError: bad weights", NOW) if code is not None else None
        )
        waiting = Waiting("serve", more.pop("waits")) if "waits" in more else None
        defaults: dict[str, Any] = {"phase": "Running", "restarts": 1}
        return PodFacts(
            "cats-1", "serve", version=version, ended=ended, waiting=waiting, **{**defaults, **more}
        )

    return make
