"""A training asked for is a training done: whatever becomes of its process."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lsb_backend.store.store import Store
from lsb_backend.training.lock import training_lock
from lsb_backend.training.result import Outcome, Result, read_result, write_result
from lsb_backend.triggers.launch import Launcher, Retries
from lsb_backend.triggers.request import Reason, Run, ask

Until = Callable[[Callable[[], bool]], Awaitable[None]]
FINISH = """
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
result = {"outcome": "Promoted", "message": "better", "finished_at": "2026-01-01T00:00:00Z"}
(folder / "result.json").write_text(json.dumps(result))
"""
ATTEMPTS = """
import pathlib, sys
attempts = pathlib.Path(sys.argv[1]) / "attempts"
attempts.write_text(attempts.read_text() + "x" if attempts.exists() else "x")
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path)


def script(code: str) -> Callable[[Run], list[str]]:
    return lambda run: [sys.executable, "-c", code, str(run.folder)]


@asynccontextmanager
async def launched(
    store: Store, code: str, limit: int = 2, deadline: int | None = None
) -> AsyncIterator[tuple[Launcher, "asyncio.Queue[Run]"]]:
    finished: asyncio.Queue[Run] = asyncio.Queue()
    launcher = Launcher(store, script(code), Retries(limit, 0.0, deadline), finished.put)
    work = asyncio.create_task(launcher.run())
    try:
        yield launcher, finished
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


def attempts(run: Run) -> int:
    return len((run.folder / "attempts").read_text())


async def test_a_training_that_is_accepted_is_started(store: Store) -> None:
    async with launched(store, FINISH) as (launcher, finished):
        name = await launcher.start(Reason.BUTTON)
        run = await finished.get()
    assert run.name == name == "after-0"
    assert read_result(run.folder) is not None


async def test_a_run_that_an_earlier_process_left_unfinished_is_resumed(store: Store) -> None:
    run = ask(store, Reason.ANNOTATIONS)
    async with launched(store, FINISH) as (_, finished):
        assert await finished.get() == run


async def test_a_training_asked_for_while_one_ends_is_done_too(store: Store) -> None:
    async with launched(store, FINISH) as (launcher, finished):
        await launcher.start(Reason.BUTTON)
        await finished.get()
        assert await launcher.start(Reason.BUTTON) == "after-1"
        assert (await finished.get()).name == "after-1"


async def test_a_training_that_falls_is_started_again_up_to_the_limit(store: Store) -> None:
    code = ATTEMPTS + "sys.exit('error: the GPU is gone')"
    async with launched(store, code, limit=2) as (launcher, finished):
        await launcher.start(Reason.BUTTON)
        run = await finished.get()
    assert attempts(run) == 3
    result = read_result(run.folder)
    assert result is not None
    assert result.outcome is Outcome.FAILED
    assert result.message == "the GPU is gone"


async def test_a_training_that_succeeds_at_the_second_attempt_is_not_a_failure(store: Store) -> None:
    code = ATTEMPTS + "if len(attempts.read_text()) < 2: sys.exit(1)\n" + FINISH
    async with launched(store, code) as (launcher, finished):
        await launcher.start(Reason.BUTTON)
        run = await finished.get()
    result = read_result(run.folder)
    assert result is not None
    assert result.outcome is Outcome.PROMOTED


async def test_a_training_that_hangs_is_ended_at_its_deadline(store: Store) -> None:
    code = ATTEMPTS + "import time; time.sleep(3600)"
    async with launched(store, code, deadline=2) as (launcher, finished):
        await launcher.start(Reason.BUTTON)
        run = await finished.get()
        assert launcher.progress is None
    result = read_result(run.folder)
    assert result is not None
    assert result.outcome is Outcome.FAILED
    assert result.message == "not done within training.activeDeadlineSeconds (2 s)"


async def test_a_training_of_somebody_else_has_no_deadline_of_ours(store: Store, until: Until) -> None:
    run = ask(store, Reason.MANUAL)
    with training_lock(store.training_lock, run.name):
        async with launched(store, FINISH, deadline=0) as (launcher, _):
            await until(lambda: launcher.progress is not None and launcher.progress.phase == "waiting")
            await asyncio.sleep(0)
            assert not run.finished


async def test_bad_data_is_not_tried_again(store: Store) -> None:
    code = ATTEMPTS + "print('error: too few annotated tasks', file=sys.stderr); sys.exit(42)"
    async with launched(store, code) as (launcher, finished):
        await launcher.start(Reason.BUTTON)
        run = await finished.get()
    assert attempts(run) == 1
    result = read_result(run.folder)
    assert result is not None
    assert result.message == "too few annotated tasks"


async def test_a_process_that_claims_success_without_a_result_is_a_failure(store: Store) -> None:
    async with launched(store, "pass", limit=0) as (launcher, finished):
        await launcher.start(Reason.BUTTON)
        run = await finished.get()
    result = read_result(run.folder)
    assert result is not None
    assert result.outcome is Outcome.FAILED


async def test_a_failed_run_is_not_started_again_by_the_same_annotations(store: Store) -> None:
    tasks = [{"id": 7, "annotations": [{"id": 1, "result": []}]}]
    export = json.dumps({"projects": [{"id": 1, "label_config": "<View/>", "tasks": tasks}]})
    code = (
        f"import pathlib, sys\npathlib.Path(sys.argv[1], 'export.json').write_text({export!r}); sys.exit(1)"
    )
    async with launched(store, code, limit=0) as (launcher, finished):
        await launcher.start(Reason.ANNOTATIONS)
        await finished.get()
    assert "1:7" in store.learned_file.read_text()


async def test_an_end_that_cannot_be_written_is_tried_again(store: Store) -> None:
    code = (
        "import pathlib, shutil, sys\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "if folder.exists(): shutil.rmtree(folder); sys.exit(42)\n"
        "folder.mkdir()\n"
    )
    async with launched(store, code + FINISH, limit=0) as (launcher, finished):
        await launcher.start(Reason.BUTTON)
        run = await finished.get()
    result = read_result(run.folder)
    assert result is not None
    assert result.outcome is Outcome.PROMOTED


async def test_progress_is_what_the_training_says(store: Store, until: Until) -> None:
    event = {"event": "epoch", "phase": "fit", "epoch": 3, "epochs": 10, "metrics": {"mAP50": 0.5}}
    lines = ["a library says hello", "[1, 2]", json.dumps(event)]
    code = f"import time\nfor line in {lines!r}: print(line, flush=True)\ntime.sleep(600)"
    async with launched(store, code) as (launcher, _):
        await launcher.start(Reason.BUTTON)
        await until(lambda: launcher.progress is not None and launcher.progress.epoch is not None)
        progress = launcher.progress
    assert progress is not None
    assert (progress.phase, progress.epoch, progress.epochs, progress.metrics) == (
        "fit",
        3,
        10,
        {"mAP50": 0.5},
    )


async def test_a_training_that_somebody_else_runs_is_waited_for(store: Store, until: Until) -> None:
    run = ask(store, Reason.MANUAL)
    with training_lock(store.training_lock, run.name):
        async with launched(store, ATTEMPTS) as (launcher, finished):
            await until(lambda: launcher.progress is not None and launcher.progress.phase == "waiting")
            assert finished.empty()
            write_result(run.folder, Result(outcome=Outcome.PROMOTED, message="by hand"))
    assert not (run.folder / "attempts").exists()
