"""Asked twice, trained once."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lsb_backend.store.store import Store
from lsb_backend.triggers.request import Reason, ask, unfinished
from lsb_crds.errors import UserError


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path)


def test_asked_twice_is_one_run(store: Store) -> None:
    first, second = ask(store, Reason.BUTTON), ask(store, Reason.ANNOTATIONS)
    assert first == second
    assert [path.name for path in store.runs.iterdir()] == ["after-0"]
    assert json.loads((first.folder / "request.json").read_text())["reason"] == "Button"


def test_asked_by_many_at_once_is_one_run(store: Store) -> None:
    with ThreadPoolExecutor(16) as pool:
        runs = list(pool.map(lambda _: ask(store, Reason.BUTTON), range(64)))
    assert {run.name for run in runs} == {"after-0"}


def test_after_a_result_the_next_run_has_the_next_number(store: Store) -> None:
    (ask(store, Reason.BUTTON).folder / "result.json").write_text("{}")
    assert unfinished(store) is None
    assert ask(store, Reason.MANUAL).name == "after-1"
    assert unfinished(store) is not None


def test_a_name_is_never_used_again_when_old_runs_are_deleted(store: Store) -> None:
    for _ in range(3):
        (ask(store, Reason.BUTTON).folder / "result.json").write_text("{}")
    (store.runs / "after-0" / "result.json").unlink()
    (store.runs / "after-0" / "request.json").unlink()
    (store.runs / "after-0").rmdir()
    assert ask(store, Reason.BUTTON).name == "after-3"


def test_a_run_whose_asker_was_killed_before_it_wrote_the_request_is_still_done(store: Store) -> None:
    (store.runs / "after-0").mkdir()
    run = unfinished(store)
    assert run is not None
    assert ask(store, Reason.BUTTON) == run


def test_a_store_that_is_gone_is_said_in_one_line(store: Store) -> None:
    shutil.rmtree(store.root)
    with pytest.raises(UserError, match=r"no training can be asked for \(No such file or directory\)"):
        ask(store, Reason.BUTTON)


def test_tenth_run_comes_after_the_ninth(store: Store) -> None:
    for number in range(11):
        folder = store.runs / f"after-{number}"
        folder.mkdir()
        (folder / "result.json").write_text("{}")
    assert ask(store, Reason.BUTTON).name == "after-11"
