"""Several processes share a store, and any of them may be killed at any line."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lsb_backend.store import atomic
from lsb_backend.store.store import Store

WRITER = Path(__file__).with_name("writer.py")


def start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(WRITER), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def say(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdin
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def hear(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def assert_whole(root: Path) -> None:
    """Each version a reader sees is complete, and what should serve is there."""
    store = Store(root)
    if not store.versions_folder.is_dir():
        return
    visible = [name for name in os.listdir(store.versions_folder) if not name.startswith(".")]
    assert sorted(visible) == sorted(card.version for card in store.versions())
    for name in visible:
        store.verify(name)
    store.target(None)


def assert_clean(root: Path) -> None:
    """After the next opening nothing of the dead writer is left."""
    store = Store.open(root)
    for folder in (store.root, store.versions_folder):
        assert not list(folder.glob(f"{atomic.TEMPORARY_PREFIX}*"))


def test_two_writers_at_once_make_two_versions(tmp_path: Path) -> None:
    writers = [start(str(tmp_path), "--wait", "--run", name) for name in ("a", "b")]
    assert [hear(writer) for writer in writers] == ["staged", "staged"]
    for writer in writers:
        say(writer, "go")
    assert [writer.wait() for writer in writers] == [0, 0]
    cards = Store.open(tmp_path).versions()
    assert [card.sequence for card in cards] == [0, 1]
    assert {card.run for card in cards} == {"a", "b"}


def test_three_writers_of_one_run_make_one_version(tmp_path: Path) -> None:
    writers = [start(str(tmp_path), "--run", "same") for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert len(Store.open(tmp_path).versions()) == 1


def test_opening_does_not_hurt_a_writer(tmp_path: Path) -> None:
    writer = start(str(tmp_path), "--wait", "--run", "a")
    assert hear(writer) == "staged"
    Store.open(tmp_path)
    say(writer, "go")
    assert writer.wait() == 0
    assert len(Store.open(tmp_path).versions()) == 1


def test_killed_at_each_step_of_a_write(tmp_path: Path) -> None:
    writers = start()
    step, code = 0, -signal.SIGKILL
    while code == -signal.SIGKILL:
        step += 1
        root = tmp_path / str(step)
        say(writers, f"{root} --run a --promote --die-at {step}")
        code = int(hear(writers))
        assert_whole(root)
        assert_clean(root)
        say(writers, f"{root} --run a --promote")
        assert hear(writers) == "0"
        (card,) = Store.open(root).versions()
        assert Store.open(root).target(None) == card.version
    assert code == 0
    assert step > 20
    writers.communicate()


@pytest.mark.parametrize("seed", [20261122])
def test_killed_at_random_moments_of_steady_writing(tmp_path: Path, seed: int) -> None:
    random_source = random.Random(seed)
    for number in range(20):
        writer = start(str(tmp_path), "--forever", "--run", str(number))
        for _ in range(random_source.randint(1, 6)):
            assert hear(writer) == "committed"
        # Not a wait for anything: the moment of the kill is what is drawn.
        with pytest.raises(subprocess.TimeoutExpired):
            writer.wait(random_source.uniform(0, 0.02))
        writer.kill()
        writer.communicate()
        assert_whole(tmp_path)
    assert_clean(tmp_path)
    sequences = [card.sequence for card in Store.open(tmp_path).versions()]
    assert sequences == list(range(len(sequences)))
