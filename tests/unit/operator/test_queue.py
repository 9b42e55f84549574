"""The work queue: what may run side by side, what folds, and what comes again."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from lsb_operator.queue import Key, Queue, backoff

A: Key = ("studio", "a")
B: Key = ("studio", "b")


class Work:
    """A reconciler that waits at a gate, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.started: asyncio.Queue[Key] = asyncio.Queue()
        self.gate = asyncio.Event()
        self.running: list[Key] = []
        self.count = 0
        self.together: set[tuple[Key, ...]] = set()
        self.errors: list[tuple[Key, Exception]] = []
        self.answers: list[float | Exception | None] = []

    async def __call__(self, key: Key) -> float | None:
        assert key not in self.running, "a key was worked on twice at once"
        self.running.append(key)
        self.together.add(tuple(sorted(self.running)))
        self.count += 1
        self.started.put_nowait(key)
        try:
            await self.gate.wait()
        finally:
            self.running.remove(key)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def report(self, key: Key, error: Exception) -> None:
        self.errors.append((key, error))


async def _stopped(queue: Queue, run: Awaitable[None]) -> None:
    queue.stop()
    await asyncio.wait_for(run, 60)


async def _started(work: Work, number: int) -> list[Key]:
    return [await asyncio.wait_for(work.started.get(), 60) for _ in range(number)]


async def _idle(queue: Queue) -> None:
    while queue.depth():  # noqa: ASYNC110 (the queue tells nobody when it is empty, and need not)
        await asyncio.sleep(0)


@pytest.fixture
def work() -> Work:
    return Work()


def _queue(work: Work, workers: int = 3, delay: Callable[[int], float] = lambda failures: 0.0) -> Queue:
    return Queue(work, work.report, workers=workers, delay=delay)


async def test_repeats_of_a_waiting_key_fold_into_one(work: Work) -> None:
    queue = _queue(work)
    for _ in range(5):
        queue.add(A)
    work.gate.set()
    run = asyncio.create_task(queue.run())
    await _started(work, 1)
    await _stopped(queue, run)
    assert work.count == 1


async def test_a_key_added_while_it_is_worked_on_comes_once_more_afterwards(work: Work) -> None:
    queue = _queue(work)
    run = asyncio.create_task(queue.run())
    queue.add(A)
    await _started(work, 1)
    queue.add(A)
    queue.add(A)
    work.gate.set()
    await _started(work, 1)
    await _stopped(queue, run)
    assert work.count == 2


async def test_different_keys_are_worked_on_side_by_side(work: Work) -> None:
    queue = _queue(work)
    run = asyncio.create_task(queue.run())
    queue.add(A)
    queue.add(B)
    await _started(work, 2)
    assert (A, B) in work.together
    work.gate.set()
    await _stopped(queue, run)


async def test_no_more_keys_at_once_than_workers(work: Work) -> None:
    queue = _queue(work, workers=2)
    run = asyncio.create_task(queue.run())
    for number in range(5):
        queue.add(("studio", str(number)))
    await _started(work, 2)
    assert queue.depth() == 5
    work.gate.set()
    await _started(work, 3)
    await _stopped(queue, run)
    assert max(map(len, work.together)) == 2


async def test_a_failed_key_comes_again_later_each_time_until_it_succeeds(work: Work) -> None:
    delays: list[int] = []
    queue = _queue(work, delay=lambda failures: delays.append(failures) or 0.0)  # type: ignore[func-returns-value]
    work.answers = [ValueError("one"), ValueError("two"), None, ValueError("three"), None]
    work.gate.set()
    run = asyncio.create_task(queue.run())
    queue.add(A)
    await _started(work, 3)
    await _idle(queue)
    queue.add(A)
    await _started(work, 2)
    await _stopped(queue, run)
    # The third failure follows a success: it counts from one again.
    assert delays == [1, 2, 1]
    assert [str(error) for _, error in work.errors] == ["one", "two", "three"]


async def test_one_failing_key_does_not_hold_up_another(work: Work) -> None:
    queue = _queue(work, workers=1, delay=lambda failures: 3600.0)
    work.answers = [ValueError("broken"), None]
    work.gate.set()
    run = asyncio.create_task(queue.run())
    queue.add(A)
    queue.add(B)
    assert await _started(work, 2) == [A, B]
    await _stopped(queue, run)


async def test_the_reconciler_chooses_when_to_come_again(work: Work) -> None:
    queue = _queue(work)
    work.answers = [0.0, None]
    work.gate.set()
    run = asyncio.create_task(queue.run())
    queue.add(A)
    assert await _started(work, 2) == [A, A]
    await _stopped(queue, run)


async def test_the_soonest_of_several_delays_counts(work: Work) -> None:
    queue = _queue(work)
    work.gate.set()
    run = asyncio.create_task(queue.run())
    queue.later(3600.0, A)
    queue.later(0.0, A)
    queue.later(3600.0, A)
    await _started(work, 1)
    await _stopped(queue, run)


async def test_stopping_finishes_what_is_at_hand_and_begins_nothing(work: Work) -> None:
    queue = _queue(work, workers=1)
    run = asyncio.create_task(queue.run())
    queue.add(A)
    queue.add(B)
    await _started(work, 1)
    queue.stop()
    assert not run.done()
    work.gate.set()
    await asyncio.wait_for(run, 60)
    assert work.count == 1


async def test_age_is_that_of_the_oldest_key_and_none_when_idle(work: Work) -> None:
    queue = _queue(work, workers=1)
    assert queue.oldest_age() == 0.0
    run = asyncio.create_task(queue.run())
    queue.add(A)
    await _started(work, 1)
    first = queue.oldest_age()
    queue.add(B)
    # A stuck key ages, however many fresh ones come behind it.
    assert queue.oldest_age() >= first > 0.0
    work.gate.set()
    await _started(work, 1)
    await _idle(queue)
    assert queue.oldest_age() == 0.0
    await _stopped(queue, run)


async def test_a_delayed_key_does_not_age(work: Work) -> None:
    queue = _queue(work)
    queue.later(3600.0, A)
    assert queue.oldest_age() == 0.0
    queue.stop()


def test_backoff_doubles_up_to_five_minutes_with_jitter() -> None:
    middle = [backoff(failures, lambda low, high: (low + high) / 2) for failures in range(1, 15)]
    assert middle[:4] == pytest.approx([0.2, 0.4, 0.8, 1.6])
    assert middle[-1] == 300.0
    assert middle == sorted(middle)
    assert {backoff(5) for _ in range(10)} != {backoff(5)}
