"""What is asked for, how it reads, and the exit code that tells a program how it ended."""

from typing import Any, get_args

import pytest

from lsb_cli.cluster.asking import training
from lsb_cli.cluster.outcome import EXIT_CODES, epochs, exit_code, line
from lsb_cli.cluster.promote import waiting
from lsb_cli.cluster.versions import rows
from lsb_crds.errors import UserError
from lsb_crds.results import TrainingPhase
from lsb_crds.training import LabelStudioTraining
from lsb_operator.attempt import DECIDED

LONGEST = "a" * 40


def backend(name: str = "cats", **parts: Any) -> dict[str, Any]:
    """A live backend."""
    about = {"name": name, "namespace": "studio", "uid": "1"}
    return {"kind": "LabelStudioBackend", "metadata": about, "spec": {}, **parts}


def finished(version: str | None, phase: str, **status: Any) -> dict[str, Any]:
    """A training with a candidate."""
    result = {"result": {"outcome": "Promoted", "version": version}} if version else {}
    about = {"name": f"t-{version}", "namespace": "studio"}
    return {"metadata": about, "status": {"phase": phase, **result, **status}}


@pytest.mark.parametrize("name", ["cats", LONGEST])
def test_what_is_asked_for_is_a_training_of_the_contract(name: str) -> None:
    asked = training(backend(name), epochs=3, force=True)
    about = asked["metadata"]
    # The API server completes the name with five characters.
    named = {**asked, "metadata": {**about, "name": f"{about['generateName']}x7k2q"}}
    read = LabelStudioTraining.model_validate(named)
    assert (read.spec.backend, read.spec.reason, read.spec.epochs, read.spec.force) == (
        name,
        "Manual",
        3,
        True,
    )


def test_what_is_not_given_is_left_to_the_backend() -> None:
    assert training(backend(), None, False)["spec"] == {"backend": "cats", "reason": "Manual"}


def test_a_training_goes_with_its_backend_and_does_not_hold_it_up() -> None:
    (owner,) = training(backend(), None, False)["metadata"]["ownerReferences"]
    assert owner["uid"] == "1"
    assert "blockOwnerDeletion" not in owner


@pytest.mark.parametrize("phase", get_args(TrainingPhase))
def test_waiting_ends_in_every_phase_that_is_an_end_and_in_no_other(phase: str) -> None:
    assert (exit_code(finished(None, phase)) is not None) is (phase in DECIDED)


def test_exit_codes_differ_and_none_is_that_of_a_wrong_command_line() -> None:
    codes = [*EXIT_CODES.values(), 42]
    assert len(set(codes)) == len(codes)
    assert 2 not in codes


def test_annotations_that_do_not_suffice_end_as_they_do_on_a_laptop() -> None:
    conditions = [{"type": "Succeeded", "status": "False", "reason": "BadData"}]
    assert exit_code(finished(None, "Failed", conditions=conditions)) == 42


@pytest.mark.parametrize("status", [None, {}, {"phase": None}])
def test_a_training_that_nobody_has_seen_is_no_end(status: dict[str, Any] | None) -> None:
    found = {"status": status} if status is not None else {}
    assert exit_code(found) is None
    assert line(found) == "Pending: the operator has not seen it yet"
    assert epochs(found) is None


def test_a_line_has_the_figures_that_were_compared() -> None:
    result = {"outcome": "Rejected", "metric": "mAP50", "candidate": 0.5, "served": 0.75}
    found = {"status": {"phase": "Rejected", "message": "not better", "result": result}}
    assert line(found) == "Rejected: not better (mAP50 0.500 against 0.750)"


def test_the_one_that_waits_is_promoted_without_its_name() -> None:
    trainings = [finished("3-aaaaaaaa", "Succeeded"), finished("4-bbbbbbbb", "AwaitingApproval")]
    assert waiting(backend(), trainings, None) is trainings[1]
    assert waiting(backend(), trainings, "4-bbbbbbbb") is trainings[1]


@pytest.mark.parametrize(
    ("phases", "version", "told"),
    [
        ((), None, "training.gate.approval is Auto"),
        (("Rejected",), "4-00000000", "kubectl lsb pin cats 4-00000000 -n studio"),
        (("AwaitingApproval", "AwaitingApproval"), None, "Which one? 0-00000000, 1-00000000 wait"),
        (("AwaitingApproval",), "4-00000000", "0-00000000 does"),
    ],
)
def test_where_it_is_not_clear_which_the_way_out_is_named(
    phases: tuple[str, ...], version: str | None, told: str
) -> None:
    trainings = [finished(f"{number}-00000000", phase) for number, phase in enumerate(phases)]
    with pytest.raises(UserError) as error:
        waiting(backend(), trainings, version)
    assert told in str(error.value)


def test_versions_are_newest_first_by_their_number() -> None:
    trainings = [
        {"name": "a", "phase": "Succeeded", "version": "9-aaaaaaaa"},
        {"name": "b", "phase": "Rejected", "version": "10-bbbbbbbb"},
        {"name": "c", "phase": "Failed"},
    ]
    model = {"version": "9-aaaaaaaa", "target": "9-aaaaaaaa", "previous": "2-cccccccc"}
    found = rows(
        backend(
            spec={"model": {"version": "9-aaaaaaaa"}}, status={"model": model, "lastTrainings": trainings}
        )
    )
    assert [row["version"] for row in found] == ["10-bbbbbbbb", "9-aaaaaaaa", "2-cccccccc"]
    assert [row["serves"] for row in found] == [False, True, False]
    assert [row["pinned"] for row in found] == [False, True, False]


def test_a_backend_that_nobody_has_looked_at_has_no_versions() -> None:
    assert rows(backend()) == []
