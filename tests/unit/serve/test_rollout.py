"""The served version follows the store, and a failed swap costs nobody a prediction."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from lsb_backend.predict.slot import Served, Slot
from lsb_backend.runtime.base import Runtime
from lsb_backend.runtime.dummy import DummyRuntime
from lsb_backend.serve.metrics import Metrics
from lsb_backend.serve.rollout import Rollout
from lsb_backend.serve.status import Status
from lsb_backend.serve.supervisor import forever
from lsb_backend.store.card import Card, CardDraft
from lsb_backend.store.store import Store
from lsb_crds.errors import UserError

Until = Callable[[Callable[[], bool]], Awaitable[None]]


class Loader:
    """Loads a dummy for every version but the broken ones."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.broken: dict[str, Exception] = {}
        self.tried: list[str] = []

    def __call__(self, version: str) -> Served:
        self.tried.append(version)
        if version in self.broken:
            raise self.broken[version]
        return Served(version, DummyRuntime(), self.store.card(version), ())


class Bench:
    """A rollout with what it works on."""

    def __init__(self, root: Path, wanted: str | None = None) -> None:
        self.store = Store.open(root)
        self.retired: list[Runtime] = []
        self.slot = Slot(self.retired.append)
        self.load = Loader(self.store)
        self.status = Status()
        self.swapped: list[str] = []
        self.rollout = Rollout(
            self.store,
            self.slot,
            self.load,
            self.status,
            Metrics(),
            lambda: self.store.target(wanted),
            lambda served: self.swapped.append(served.version),
            poll=0.0,
        )

    def add(self, content: bytes, promote: bool = True) -> Card:
        with self.store.staging() as staging:
            (staging / "weights.pt").write_bytes(content)
            card = self.store.commit(staging, CardDraft(task="dummy", classes=[], trained=True))
        if promote:
            self.store.promote(card.version, reason="better")
        return card

    @property
    def serves(self) -> str | None:
        return self.slot.current.version if self.slot.current else None


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_an_empty_store_serves_nothing_and_is_no_failure(bench: Bench) -> None:
    await bench.rollout.follow()
    assert bench.serves is None
    assert bench.status.swap_failed is None


async def test_a_promoted_version_takes_over_and_the_old_model_is_closed(bench: Bench) -> None:
    first = bench.add(b"first")
    await bench.rollout.follow()
    old = bench.slot.current
    second = bench.add(b"second")
    await bench.rollout.follow()
    assert bench.swapped == [first.version, second.version]
    assert old is not None
    assert bench.retired == [old.runtime]


async def test_the_first_model_does_not_come_back_after_a_training_or_a_restart(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.add(b"first")
    second = bench.add(b"second")
    for _ in range(5):
        await bench.rollout.follow()
    assert bench.serves == second.version
    again = Bench(tmp_path)
    await again.rollout.follow()
    assert again.serves == second.version


async def test_after_a_start_with_a_damaged_target_the_version_before_it_serves(tmp_path: Path) -> None:
    first = Bench(tmp_path).add(b"first")
    bench = Bench(tmp_path)
    second = bench.add(b"second")
    bench.load.broken[second.version] = UserError("half a file")
    for _ in range(3):
        await bench.rollout.follow()
    assert bench.serves == first.version
    assert bench.load.tried == [second.version, first.version]
    assert bench.status.swap_failed is not None
    assert second.version in bench.status.swap_failed.message
    third = bench.add(b"third")
    await bench.rollout.follow()
    assert bench.serves == third.version


async def test_a_rejected_version_is_not_served(bench: Bench) -> None:
    first = bench.add(b"first")
    bench.store.reject(bench.add(b"worse", promote=False).version, reason="worse")
    await bench.rollout.follow()
    assert bench.serves == first.version


async def test_a_pin_is_followed_both_ways(bench: Bench) -> None:
    first, second = bench.add(b"first"), bench.add(b"second")
    for pinned, expected in ((first.version, first), (None, second)):
        bench.store.pin(pinned)
        await bench.rollout.follow()
        assert bench.serves == expected.version


@pytest.mark.parametrize("error", [UserError("not a model"), RuntimeError("bad file"), MemoryError("full")])
async def test_a_failed_swap_keeps_the_old_model_says_so_and_is_tried_once(
    bench: Bench, error: Exception
) -> None:
    first = bench.add(b"first")
    await bench.rollout.follow()
    second = bench.add(b"second")
    bench.load.broken[second.version] = error
    for _ in range(3):
        await bench.rollout.follow()
    assert bench.serves == first.version
    assert bench.status.target == second.version
    assert bench.status.swap_failed is not None
    assert str(error) in bench.status.swap_failed.message
    assert bench.load.tried == [first.version, second.version]


async def test_after_a_failed_swap_another_target_is_tried_and_the_failure_forgotten(bench: Bench) -> None:
    bench.add(b"first")
    await bench.rollout.follow()
    bench.load.broken[bench.add(b"second").version] = UserError("not a model")
    await bench.rollout.follow()
    third = bench.add(b"third")
    await bench.rollout.follow()
    assert bench.serves == third.version
    assert bench.status.swap_failed is None


async def test_rolling_back_to_what_still_serves_loads_nothing_and_clears_the_failure(bench: Bench) -> None:
    first = bench.add(b"first")
    await bench.rollout.follow()
    second = bench.add(b"second")
    bench.load.broken[second.version] = UserError("not a model")
    await bench.rollout.follow()
    bench.store.roll_back(second.version, reason="broken")
    await bench.rollout.follow()
    assert bench.load.tried == [first.version, second.version]
    assert bench.status.swap_failed is None


async def test_a_version_of_the_manifest_that_is_not_in_the_store_is_said_and_awaited(tmp_path: Path) -> None:
    bench = Bench(tmp_path, wanted="7-12345678")
    bench.add(b"first")
    await bench.rollout.follow()
    assert bench.serves is None
    assert bench.status.store is not None
    assert "7-12345678" in bench.status.store.message


async def test_a_damaged_file_of_promotions_keeps_the_old_model_until_it_is_mended(bench: Bench) -> None:
    first = bench.add(b"first")
    await bench.rollout.follow()
    promotions = bench.store.root / "promoted.json"
    good = promotions.read_bytes()
    promotions.write_bytes(b"{")
    await bench.rollout.follow()
    assert bench.serves == first.version
    assert bench.status.store is not None
    promotions.write_bytes(good)
    await bench.rollout.follow()
    assert bench.status.store is None


async def test_the_store_is_watched(bench: Bench, until: Until) -> None:
    watching = asyncio.create_task(forever("following", bench.rollout.follow, 0.0))
    card = bench.add(b"first")
    await until(lambda: bench.serves == card.version)
    watching.cancel()
