"""A whole life over a network, and before an API server, that fail now and then: it ends the same."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from faults.keeper import Keeper
from faults.network import Network
from faults.treatments import Faults, Outage, treatments
from faults.trial import Laboratory, Outcome
from operating import Studio, eventually

SEED = 7
KINDS = sorted(treatments(SEED))


@pytest.fixture(scope="session")
def lives(
    laboratory: Laboratory, ordinary: Outcome, pool: ThreadPoolExecutor
) -> dict[str, tuple[Faults | Outage, "Future[Outcome]"]]:
    """A life for each kind of fault."""
    chosen = treatments(SEED)

    def begin(kind: str) -> "Future[Outcome]":
        return pool.submit(laboratory.lead, lambda keeper: chosen[kind])

    return {kind: (chosen[kind], begin(kind)) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_faults_change_nothing_in_the_end(
    lives: dict[str, tuple[Faults | Outage, "Future[Outcome]"]], ordinary: Outcome, kind: str
) -> None:
    faults, future = lives[kind]
    outcome = future.result()
    assert outcome.complaints(ordinary) == []
    assert faults.given > 0
    # None of it is a reason to end, or to show a person how the program is written.
    assert outcome.starts == 1
    assert [line for line in outcome.said if "Traceback" in line] == []


@pytest.mark.parametrize("kind", ["dropped watch", "gone", "gone at once"])
def test_a_deletion_while_nobody_watches_is_noticed(
    laboratory: Laboratory, tmp_path: Path, kind: str
) -> None:
    studio = laboratory.studio()
    network = Network(laboratory.account, tmp_path, treatments(SEED)[kind])
    with network, Keeper(studio, network.kubeconfig, tmp_path / "operator.log"):
        studio.apply()
        made = None
        for _ in range(5):
            made = eventually(lambda: _another(studio, made), "the Service is there")  # noqa: B023
            studio.kubectl("delete", "service", "cats")


def _another(studio: Studio, than: str | None) -> str | None:
    """The uid of the Service, if it is another one."""
    found = studio.get("Service", "cats")
    uid: str | None = found and found["metadata"]["uid"]
    return None if uid == than else uid
