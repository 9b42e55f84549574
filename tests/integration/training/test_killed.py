"""A training survives being killed anywhere, and does no finished epoch twice."""

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

EPOCHS = 3
SEED = 7


def stage(name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda event: event["event"] == "stage" and event["phase"] == name


def epoch(number: int) -> Callable[[dict[str, Any]], bool]:
    return lambda event: event["event"] == "epoch" and event["epoch"] >= number


def test_killed_again_and_again_it_ends_with_one_version_and_no_epoch_twice(
    bench: Any, tasks: Any, make_manifest: Any, ended: list[Any]
) -> None:
    bench.freeze(["blue", "red"], tasks(12, ["blue", "red"]))
    delays = random.Random(SEED)
    reported: list[int] = []
    for point in (stage("dataset"), epoch(1), stage("evaluate"), stage("store")):
        program = bench.start(make_manifest(epochs=EPOCHS))
        ended.append(program)
        assert program.until(point), program.end()
        # Not a wait for something: it moves the kill to a place that nobody chose.
        time.sleep(delays.uniform(0, 0.4))
        program.end(signal.SIGKILL)
        reported += program.epochs
    last = bench.start(make_manifest(epochs=EPOCHS))
    ended.append(last)
    code, errors = last.end()
    assert code == 0, errors
    reported += last.epochs

    assert reported == sorted(set(reported)), "an epoch that was reported as finished was done again"
    assert reported[-1] == EPOCHS
    assert [card.run for card in bench.store.versions()] == ["prepare-detect", "after-0"]
    assert bench.store.promotion().verdict(bench.store.versions()[1].version) is not None
    assert not list((bench.folder / "cwd").iterdir()), "written outside the store"
    assert sorted(path.name for path in bench.run().iterdir()) == [
        "base.json",
        "evaluation.json",
        "export.json",
        "log.txt",
        "request.json",
        "result.json",
    ]


def test_sigterm_ends_it_at_once_and_loses_no_finished_epoch(
    bench: Any, tasks: Any, make_manifest: Any, ended: list[Any]
) -> None:
    bench.freeze(["blue", "red"], tasks(12, ["blue", "red"]))
    program = bench.start(make_manifest(epochs=50))
    ended.append(program)
    assert program.until(epoch(1)), program.end()
    code, errors = program.end(signal.SIGTERM)
    assert code == 128 + signal.SIGTERM, errors
    assert _newest(bench.run()) >= max(program.epochs)
    assert not (bench.run() / "result.json").exists()


def _newest(run: Path) -> int:
    from lsb_backend.training.checkpoints import newest

    checkpoint = newest(run / "checkpoints")
    return checkpoint.epoch if checkpoint else 0
