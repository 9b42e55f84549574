"""Argo CD says of a resource what the operator says of it, in every state that there is."""

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from lupa import lua51

from lsb_crds.results import TrainingPhase
from lsb_crds.status import BackendPhase
from lsb_operator.attempt import Standing
from lsb_operator.facts import TrainingFacts
from lsb_operator.phase import phase
from lsb_operator.reasons import Reason
from lsb_operator.training_status import training_status

Json = Any
Health = Callable[[Json], Json]
Run = Callable[[str, Json], Json]
GENERATION = 4
OF_PHASE = {
    "Pending": "Progressing",
    "Preparing": "Progressing",
    "RollingOut": "Progressing",
    "Ready": "Healthy",
    "Degraded": "Degraded",
    "Suspended": "Suspended",
    "Stalled": "Degraded",
}
OF_TRAINING = {
    "Pending": "Progressing",
    "Queued": "Progressing",
    "Running": "Progressing",
    "Evaluating": "Progressing",
    "AwaitingApproval": "Suspended",
    "Succeeded": "Healthy",
    "Rejected": "Healthy",
    "Failed": "Degraded",
    "Superseded": "Healthy",
}


def condition(kind: str, status: str, reason: str = "Because") -> Json:
    """A condition as the operator writes it."""
    return {"type": kind, "status": status, "reason": reason, "message": f"{kind} is {status}."}


def backend(status: Json = None, generation: int = GENERATION) -> Json:
    """A LabelStudioBackend with a status."""
    found = {
        "apiVersion": "lsbackends.dev/v1alpha1",
        "kind": "LabelStudioBackend",
        "metadata": {"name": "cats", "namespace": "studio", "uid": "1", "generation": generation},
        "spec": {},
    }
    return found | ({"status": status} if status is not None else {})


def every_state() -> Iterator[tuple[list[Json], str]]:
    """Every combination of conditions with the operator's own phase for it."""
    readies = [condition("Ready", "False", reason) for reason in Reason]
    readies += [condition("Ready", "True", reason) for reason in ("Serving", "ScaledToZero", "RedisDown")]
    optional = [
        [condition("Registered", status) for status in ("True", "False", "Unknown")],
        [condition("RolledBack", "True")],
        [condition("Suspended", "True")],
        [condition("Stalled", "True")],
        [condition("Reconciling", "True")],
        [condition("TrainingSucceeded", status) for status in ("True", "False")],
    ]
    for ready in readies:
        for others in itertools.product(*([None, *choices] for choices in optional)):
            found = [ready, *(one for one in others if one)]
            for serving in (True, False):
                yield found, phase(found, serving)


def test_every_combination_of_conditions_is_what_the_phase_says(settings: dict[str, str]) -> None:
    # One interpreter for all: there are some ten thousand.
    lua = lua51.LuaRuntime()
    script = settings["resource.customizations.health.lsbackends.dev_LabelStudioBackend"]
    judge = lua.execute(f"return function(obj)\n{script}\nend")
    seen = set()
    for conditions, word in every_state():
        status = {"observedGeneration": GENERATION, "phase": word, "conditions": conditions}
        found = judge(lua.table_from(backend(status), recursive=True))
        assert found.status == OF_PHASE[word], (conditions, word)
        assert found.message
        seen.add(word)
    assert seen == set(get_args(BackendPhase))


@pytest.mark.parametrize(
    "status",
    [None, {}, {"phase": "Ready"}, {"observedGeneration": GENERATION - 1, "phase": "Ready"}],
)
def test_a_status_about_an_older_spec_does_not_count(health: Health, status: Json) -> None:
    if status:
        status = status | {"conditions": [condition("Ready", "True")]}
    assert health(backend(status))["status"] == "Progressing"


def test_a_status_without_conditions_is_on_its_way(health: Health) -> None:
    assert health(backend({"observedGeneration": GENERATION}))["status"] == "Progressing"


def test_a_failed_training_is_told_and_alarms_nobody(health: Health) -> None:
    conditions = [condition("Ready", "True"), condition("TrainingSucceeded", "False", "TrainingFailed")]
    status = {"observedGeneration": GENERATION, "phase": "Ready", "conditions": conditions}
    assert health(backend(status)) == {
        "status": "Healthy",
        "message": "TrainingFailed: TrainingSucceeded is False.",
    }


@pytest.mark.parametrize(
    "conditions",
    [
        [condition("Ready", "False", "Crashing")],
        [condition("Ready", "True"), condition("Registered", "False", "RegistrationFailed")],
        [
            condition("Ready", "True"),
            condition("Registered", "True"),
            condition("RolledBack", "True", "VersionFailed"),
        ],
        [condition("Ready", "True", "RedisDown")],
        [condition("Ready", "False"), condition("Stalled", "True", "NameConflict")],
    ],
)
def test_what_is_wrong_is_what_is_told(health: Health, conditions: list[Json]) -> None:
    word = phase(conditions, serving=False)
    status = {"observedGeneration": GENERATION, "phase": word, "conditions": conditions}
    culprit = conditions[-1]
    assert health(backend(status)) == {
        "status": "Degraded",
        "message": f"{culprit['reason']}: {culprit['message']}",
    }


def training(word: TrainingPhase) -> Json:
    """A LabelStudioTraining with the status that the operator writes in a phase."""
    facts = TrainingFacts("t", generation=1)
    standing = Standing(word, "Because", "It is so.", job="t-train")
    written = training_status(facts, standing, datetime.now(UTC), "b-1")
    return {
        "apiVersion": "lsbackends.dev/v1alpha1",
        "kind": "LabelStudioTraining",
        "metadata": {"name": "t", "namespace": "studio", "uid": "1", "generation": 1},
        "spec": {"backend": "cats"},
        "status": written,
    }


@pytest.mark.parametrize("word", get_args(TrainingPhase))
def test_every_phase_of_a_training(health: Health, word: TrainingPhase) -> None:
    assert health(training(word)) == {"status": OF_TRAINING[word], "message": "It is so."}


@pytest.mark.parametrize("status", [None, {}, {"phase": "Succeeded", "observedGeneration": 0}])
def test_a_training_that_nobody_has_seen_is_on_its_way(health: Health, status: Json) -> None:
    assert health(training("Pending") | {"status": status})["status"] == "Progressing"


@pytest.mark.parametrize("word", ["Healthy", "Degraded", "Progressing", "Suspended"])
def test_an_application_is_as_healthy_as_it_says(health: Health, word: str) -> None:
    found = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "x"}}
    assert health(found)["status"] == "Progressing"
    assert health(found | {"status": {}})["status"] == "Progressing"
    assert health(found | {"status": {"health": {"status": word}}})["status"] == word


def test_the_sandbox_has_no_more_than_argocd_gives(run: Run) -> None:
    for name in ("string", "math", "io", "os", "debug", "python", "dofile"):
        assert run(f"return {name}", {}) is None
    with pytest.raises(lua51.LuaError):
        run('return ("x"):upper()', {})
