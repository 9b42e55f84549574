"""Trainings that cannot be: which ones are given up, which ones are tried again, and what is said."""

import json
from typing import Any

import pytest

from lsb_backend.training.errors import DataError
from lsb_backend.training.lock import TrainingRunsError, training_lock
from lsb_backend.training.result import Outcome, read_result
from lsb_crds.errors import UserError

GIVEN_UP = 42


def test_too_few_annotations_end_the_program_with_42_and_the_numbers(
    bench: Any, tasks: Any, make_manifest: Any, ended: list[Any]
) -> None:
    bench.freeze(["blue"], tasks(3, ["blue"]))
    program = bench.start(make_manifest(minimumAnnotations=20))
    ended.append(program)
    code, errors = program.end()
    assert code == GIVEN_UP
    assert len(errors.splitlines()) == 1
    assert "3 in project 1" in errors
    assert "annotate 17 more" in errors
    result = read_result(bench.run())
    assert result is not None
    assert result.outcome is Outcome.FAILED
    # They count on, so that the threshold is reached with the next ones and not only by as many again.
    assert not bench.store.learned_file.exists()


def test_images_that_cannot_be_used_are_given_up_with_the_reason(bench: Any, tasks: Any) -> None:
    broken = [{**task, "data": {"image": "data:image/png;base64,AAAA"}} for task in tasks(6, ["blue"])]
    bench.freeze(["blue"], broken)
    with pytest.raises(DataError, match=r"no usable image to learn from.*6 tasks left out.*1:1"):
        bench.train(bench.backend())
    result = read_result(bench.run())
    assert result is not None
    assert result.outcome is Outcome.FAILED


def test_what_was_given_up_for_another_reason_starts_no_further_training(bench: Any, tasks: Any) -> None:
    bench.freeze(["blue"], tasks(8, ["blue"]))
    with pytest.raises(DataError):
        bench.train(bench.backend(arguments={"patiense": 3}))
    assert len(json.loads(bench.store.learned_file.read_bytes())) == 8


def test_annotations_without_any_region_are_given_up(bench: Any, tasks: Any) -> None:
    drawn = tasks(8, ["blue"])
    for task in drawn:
        task["annotations"][0]["result"] = []
    bench.freeze(["blue"], drawn)
    with pytest.raises(DataError, match="no usable region to learn from"):
        bench.train(bench.backend())


def test_a_label_config_without_a_fitting_control_is_given_up(bench: Any, tasks: Any) -> None:
    bench.freeze(["blue"], tasks(8, ["blue"], "segment"))
    with pytest.raises(DataError, match="RectangleLabels"):
        bench.train(bench.backend())


def test_an_unknown_argument_is_given_up_with_the_nearest_one(bench: Any, tasks: Any) -> None:
    bench.freeze(["blue"], tasks(8, ["blue"]))
    with pytest.raises(DataError, match=r"training\.arguments\.patiense.*did you mean patience"):
        bench.train(bench.backend(arguments={"patiense": 3}))


def test_label_studio_down_is_a_failure_that_is_tried_again(bench: Any) -> None:
    with pytest.raises(UserError, match=r"127\.0\.0\.1:9") as caught:
        bench.train(bench.backend())
    assert caught.value.exit_code not in (0, GIVEN_UP)
    assert read_result(bench.run()) is None
    assert not bench.store.learned_file.exists()


def test_a_second_training_is_told_who_trains(bench: Any, tasks: Any) -> None:
    bench.freeze(["blue"], tasks(8, ["blue"]))
    with (
        training_lock(bench.store.training_lock, "after-9"),
        pytest.raises(TrainingRunsError, match="after-9"),
    ):
        bench.train(bench.backend())
    assert read_result(bench.run()) is None


def test_the_dummy_is_not_trained(empty: Any, tasks: Any) -> None:
    empty.freeze(["blue"], tasks(8, ["blue"]))
    with pytest.raises(DataError, match=r"model\.task dummy cannot be trained"):
        empty.train(empty.backend("dummy"))
