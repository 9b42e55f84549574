"""Who shares work with whom, what is remembered, and who pays when somebody leaves or something fails."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from lsb_backend.predict.sharing import Sharing

from .conftest import until


class Work:
    """Counts how often it was begun; ends when its gate is opened."""

    def __init__(self, answer: str = "found") -> None:
        self.answer = answer
        self.begun = 0
        self.ended = 0
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> str:
        self.begun += 1
        try:
            await self.gate.wait()
        finally:
            self.ended += 1
        if self.error is not None:
            raise self.error
        return self.answer


def sharing(room: int = 100) -> Sharing[str]:
    return Sharing(room, len)


def ask(
    shared: Sharing[str], work: Callable[[], Awaitable[str]], key: str = "a", owner: str = "model"
) -> asyncio.Task[str]:
    return asyncio.create_task(shared.get(key, owner, work))


async def test_those_who_ask_meanwhile_and_those_who_ask_later_share_one_result() -> None:
    shared, work = sharing(), Work()
    asked = [ask(shared, work) for _ in range(5)]
    await until(lambda: shared.outcomes["joined"] == 4)
    work.gate.set()
    assert await asyncio.gather(*asked) == ["found"] * 5
    assert await ask(shared, work) == "found"
    assert work.begun == 1
    assert shared.outcomes == {"computed": 1, "joined": 4, "remembered": 1}


async def test_whoever_leaves_takes_nobody_along_and_the_last_one_ends_the_work() -> None:
    shared, work = sharing(), Work()
    first, second = ask(shared, work), ask(shared, work)
    await until(lambda: shared.outcomes["joined"] == 1)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert work.ended == 0
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    await until(lambda: work.ended == 1)
    work.gate.set()
    assert await ask(shared, work) == "found"
    assert work.begun == 2


async def test_a_failure_is_told_to_all_who_wait_and_is_not_remembered() -> None:
    shared, work = sharing(), Work()
    work.error = ValueError("damaged")
    asked = [ask(shared, work) for _ in range(3)]
    await until(lambda: shared.outcomes["joined"] == 2)
    work.gate.set()
    assert [str(error) for error in await asyncio.gather(*asked, return_exceptions=True)] == ["damaged"] * 3
    work.error = None
    assert await ask(shared, work) == "found"


async def test_two_loaded_models_share_no_work_that_is_under_way() -> None:
    shared, one, other = sharing(), Work("one"), Work("other")
    asked = [ask(shared, one, owner="first"), ask(shared, other, owner="second")]
    await until(lambda: one.begun + other.begun == 2)
    one.gate.set()
    other.gate.set()
    assert await asyncio.gather(*asked) == ["one", "other"]


@pytest.mark.parametrize(("room", "begun"), [(5, 3), (10, 2), (4, 3)])
async def test_the_oldest_is_forgotten_where_there_is_no_room(room: int, begun: int) -> None:
    shared, work = sharing(room), Work()
    work.gate.set()
    for key in "aba":
        await ask(shared, work, key)
    assert work.begun == begun
