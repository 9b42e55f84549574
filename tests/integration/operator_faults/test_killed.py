"""The operator is killed beside one call of a whole life, and started again: nothing of it can be seen."""

import itertools
import random
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import get_args

import pytest
from faults.keeper import Keeper
from faults.treatments import Kill, Moment
from faults.trial import Laboratory, Outcome

SAMPLE = 20
SEED = 20_251_122
Killed = tuple[Outcome, Kill]
MOMENTS: tuple[Moment, ...] = get_args(Moment)


def killed(laboratory: Laboratory, number: int, moment: Moment) -> Killed:
    """A life whose operator dies beside its call `number`."""
    kills: list[Kill] = []

    def choose(keeper: Keeper) -> Kill:
        kills.append(Kill(number, moment, keeper.kill))
        return kills[0]

    return laboratory.lead(choose), kills[0]


def complaints(result: Killed, number: int, moment: Moment, ordinary: Outcome) -> list[str]:
    outcome, kill = result
    found = outcome.complaints(ordinary)
    if kill.struck is not None and outcome.starts != 2:
        found.append(f"the operator was started {outcome.starts} times")
    return [f"killed {moment} call {number} ({kill.struck}): {line}" for line in found]


@pytest.fixture(scope="session")
def sample(
    laboratory: Laboratory, ordinary: Outcome, pool: ThreadPoolExecutor
) -> list[tuple[int, Moment, "Future[Killed]"]]:
    """Some of all the moments at which it can be killed, the same ones each time."""
    moments = list(itertools.product(range(1, len(ordinary.calls) + 1), MOMENTS))
    chosen = random.Random(SEED).sample(moments, SAMPLE)
    return [(*one, pool.submit(killed, laboratory, *one)) for one in chosen]


@pytest.mark.parametrize("index", range(SAMPLE))
def test_killed_beside_a_call_it_ends_the_same_and_no_job_is_made_twice(
    sample: list[tuple[int, Moment, "Future[Killed]"]], ordinary: Outcome, index: int
) -> None:
    number, moment, future = sample[index]
    assert complaints(future.result(), number, moment, ordinary) == []


def test_every_training_of_an_ordinary_life_has_one_job(ordinary: Outcome) -> None:
    assert len(ordinary.jobs) == 3
    assert set(ordinary.jobs.values()) == {1}
    assert ordinary.starts == 1


@pytest.mark.timeout(4 * 3600)
def test_killed_beside_every_call(
    request: pytest.FixtureRequest,
    laboratory: Laboratory,
    ordinary: Outcome,
    pool: ThreadPoolExecutor,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if not request.config.getoption("--every-call", default=False):
        pytest.skip("hours of lives: make chaos")
    found: list[str] = []
    for moment in MOMENTS:
        found += _until_no_call_is_left(laboratory, ordinary, pool, moment, capfd.disabled)
    assert found == []


def _until_no_call_is_left(
    laboratory: Laboratory,
    ordinary: Outcome,
    pool: ThreadPoolExecutor,
    moment: Moment,
    shown: Callable[[], object],
) -> list[str]:
    found: list[str] = []
    for first in itertools.count(1, 4):
        numbers = range(first, first + 4)
        results = list(pool.map(lambda number: killed(laboratory, number, moment), numbers))
        for number, result in zip(numbers, results, strict=True):
            found += complaints(result, number, moment, ordinary)
        with shown():  # type: ignore[attr-defined]
            print(f"killed {moment} calls {first} to {first + 3}: {len(found)} complaints so far", flush=True)
        if not any(kill.struck for _, kill in results):
            return found
    return found
