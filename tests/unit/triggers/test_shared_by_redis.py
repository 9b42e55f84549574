"""Replicas that share a real Redis read the annotations once, and without it each for itself."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis_server import RedisServer

from lsb_backend.dataset.annotations import digests
from lsb_backend.store.store import Store
from lsb_backend.triggers.count import AnnotationCount, Count, Timing
from lsb_backend.triggers.shared_by_redis import SharedByRedis

Until = Callable[[Callable[[], bool]], Awaitable[None]]
TIMING = Timing(settle=0.0, period=3600.0, again=0.1, rest=0.0)
TASK = {
    "id": 1,
    "annotations": [
        {
            "id": 1,
            "was_cancelled": False,
            "created_at": "2026-01-01T00:00:00Z",
            "result": [{"type": "rectanglelabels", "value": {"rectanglelabels": ["cat"]}}],
        }
    ],
}


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path).start()
    yield server
    server.kill()


class Replica:
    """Counts like a pod does; `reads` is how often it read the annotations."""

    def __init__(self, folder: Path, url: str) -> None:
        folder.mkdir()
        self.file = folder / "url"
        self.file.write_text(url)
        self.states: list[str | None] = []
        self.sharing = SharedByRedis(self.file, "lsbackends:studio:cats", self.states.append)
        self.reads, self.counted, self.shown = 0, 0, 0
        self.tasks: list[Any] = [TASK]
        self.go_on = asyncio.Event()
        self.go_on.set()
        store = Store.open(folder / "store")
        self.counting = AnnotationCount(store, self._read, self._count, TIMING, self.sharing, self._show)
        self.task = asyncio.create_task(self.counting.run())

    @property
    def turns(self) -> int:
        """How often it knew a count, its own or another's."""
        return self.counted + self.shown

    async def _read(self) -> dict[str, str]:
        self.reads += 1
        await self.go_on.wait()
        return digests({1: self.tasks})

    async def _count(self, found: Count) -> None:
        self.counted += 1

    def _show(self, found: Count) -> None:
        assert found == Count(1, 1)
        self.shown += 1


@pytest.fixture
async def replicas(tmp_path: Path, redis: RedisServer) -> Any:
    made = [Replica(tmp_path / f"replica-{number}", redis.url) for number in range(3)]
    yield made
    for one in made:
        one.task.cancel()
        await asyncio.gather(one.task, return_exceptions=True)
        await one.sharing.close()


def reads(replicas: list[Replica]) -> int:
    return sum(one.reads for one in replicas)


async def test_one_replica_reads_for_all_and_the_others_show_what_it_found(
    replicas: list[Replica], until: Until
) -> None:
    await until(lambda: all(one.turns == 1 for one in replicas))
    assert reads(replicas) == 1
    assert sum(one.shown for one in replicas) == 2


async def test_hints_that_several_hear_at_once_are_read_once(replicas: list[Replica], until: Until) -> None:
    await until(lambda: all(one.turns == 1 for one in replicas))
    for one in replicas:
        one.counting.hint()
    await until(lambda: all(one.turns == 2 for one in replicas))
    # One may have begun before the last of them was heard.
    assert 2 <= reads(replicas) <= 3


async def test_a_change_during_a_read_is_read_again(replicas: list[Replica], until: Until) -> None:
    await until(lambda: all(one.turns == 1 for one in replicas))
    first, second, _ = replicas
    first.go_on.clear()
    first.counting.hint()
    await until(lambda: first.reads + second.reads + replicas[2].reads == 2)
    second.counting.hint()
    await asyncio.sleep(0)
    assert second.turns == 1
    first.go_on.set()
    await until(lambda: second.turns == 2)
    assert reads(replicas) == 3


async def test_without_redis_each_reads_for_itself_and_with_it_again_they_share_again(
    replicas: list[Replica], redis: RedisServer, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await until(lambda: all(one.turns == 1 for one in replicas))
    redis.kill()
    for round_number in (2, 3):
        for one in replicas:
            one.counting.hint()
        await until(lambda number=round_number: all(one.turns == number for one in replicas))
    assert reads(replicas) == 1 + 2 * 3
    assert all(len(one.states) == 1 and "counts for itself" in str(one.states[0]) for one in replicas)
    redis.start()
    before = reads(replicas)
    for one in replicas:
        one.counting.hint()
    await until(lambda: all(one.turns == 4 for one in replicas))
    assert reads(replicas) - before < 3
    assert all(one.states[1:] == [None] for one in replicas)
    # One line for each change, and the password in none.
    assert len([line for line in caplog.messages if "Redis" in line]) == 2 * len(replicas)
    assert "secret" not in caplog.text


async def test_a_reader_that_failed_leaves_the_turn_to_another_and_nothing_is_taken_for_read(
    replicas: list[Replica], until: Until
) -> None:
    await until(lambda: all(one.turns == 1 for one in replicas))
    from lsb_crds.errors import UserError

    async def refuse() -> Any:
        replicas[0].reads += 1
        raise UserError("Label Studio is down")

    replicas[0].counting._read = refuse
    replicas[0].counting.hint()
    await until(lambda: replicas[0].reads >= 3)
    replicas[0].counting._read = replicas[0]._read
    await until(lambda: replicas[0].turns == 2)


async def test_a_redis_that_hangs_is_told_and_not_waited_for(
    replicas: list[Replica], redis: RedisServer, until: Until
) -> None:
    await until(lambda: all(one.turns == 1 for one in replicas))
    redis.hang()
    replicas[0].counting.hint()
    await until(lambda: replicas[0].turns == 2)
    assert replicas[0].states == ["Redis is not used, each replica counts for itself: no answer in 2 s"]


async def test_what_is_no_url_is_said_without_repeating_it(tmp_path: Path, until: Until) -> None:
    replica = Replica(tmp_path / "replica", "hunter2:secret@nowhere")
    await until(lambda: replica.turns == 1)
    assert len(replica.states) == 1
    assert "redis://host" in str(replica.states[0])
    assert "secret" not in str(replica.states[0])
    replica.task.cancel()


async def test_it_ends_wherever_it_is_cancelled(tmp_path: Path, redis: RedisServer) -> None:
    (tmp_path / "url").write_text(redis.url)
    for steps in range(200):
        sharing = SharedByRedis(tmp_path / "url", f"lsbackends:studio:cats-{steps}", lambda state: None)
        task = asyncio.create_task(sharing.turn(True, 3600.0))
        for _ in range(steps):
            await asyncio.sleep(0)
        under_way = not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await sharing.close()
        assert task.cancelled() is under_way
