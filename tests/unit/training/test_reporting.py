"""What a training tells the cluster: little enough, in time, and never in its way."""

import json
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from lsb_backend.cluster import ClusterError
from lsb_backend.training.reporting import ClusterReporter, StatusWriter, message_of
from lsb_crds.results import TrainingResult


class Quiet:
    """A reporter to nobody."""

    def stage(self, name: str, message: str) -> None:
        pass

    def epoch(self, epoch: int, epochs: int, metrics: Mapping[str, float]) -> None:
        pass

    def note(self, message: str) -> None:
        pass


@pytest.mark.parametrize("letter", ["x", "é", "\n", '"', "\U0001f600", "\x00"])
@pytest.mark.parametrize("count", [0, 1, 3900, 4000, 4096])
def test_a_result_fits_into_a_termination_message_and_is_still_one(letter: str, count: int) -> None:
    result = TrainingResult(outcome="Promoted", version="1-bbbbbbbb", message=letter * count)
    text = message_of(result, 4096)
    assert len(text.encode()) <= 4096
    read = TrainingResult.model_validate(json.loads(text))
    assert (read.outcome, read.version) == ("Promoted", "1-bbbbbbbb")
    if count < 600:
        assert read == result


def test_the_newest_is_written_and_what_came_between_is_left_out() -> None:
    written: list[Any] = []
    first, go_on = threading.Event(), threading.Event()

    def write(status: Mapping[str, Any]) -> None:
        written.append(status)
        first.set()
        assert go_on.wait(60)

    writer = StatusWriter(write, lambda _: None, interval=0.0)
    writer.put({"progress": 1})
    assert first.wait(60)
    for number in range(2, 100):
        writer.put({"progress": number})
    go_on.set()
    writer.close({"progress": 99, "result": "done"})
    assert written[0] == {"progress": 1}
    assert written[-1] == {"progress": 99, "result": "done"}
    assert len(written) <= 3


def test_a_failure_is_said_once_and_the_last_word_is_tried_again() -> None:
    attempts: list[Any] = []
    said: list[str] = []

    def write(status: Mapping[str, Any]) -> None:
        attempts.append(status)
        if len(attempts) < 3:
            raise ClusterError("The Kubernetes API cannot be reached.")

    writer = StatusWriter(write, said.append, interval=0.0)
    writer.close({"result": "done"})
    assert attempts == [{"result": "done"}] * 3
    assert len(said) == 1


def test_a_training_that_stops_early_has_no_more_epochs_than_it_did_and_nan_is_left_out() -> None:
    written: list[Any] = []
    writer = StatusWriter(written.append, lambda _: None, interval=0.0)
    reporter = ClusterReporter(Quiet(), writer)
    reporter.epoch(12, 100, {"a": 0.5, "b": float("nan")})
    reporter.stage("evaluate", "compares")
    assert reporter.progress is not None
    assert reporter.progress.model_dump() == {"epoch": 12, "epochs": 12, "metrics": {"a": 0.5}}
    writer.close(None)
