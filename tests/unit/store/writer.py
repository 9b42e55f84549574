"""A process that writes versions, and can be told to die at a certain file operation.

Without arguments it reads them from its input, a line for each writer, forks one and prints its exit code.
"""

import argparse
import os
import shlex
import signal
import sys
from pathlib import Path

from lsb_backend.store.card import CardDraft
from lsb_backend.store.store import Store


def die_at(step: int, root: str) -> None:
    """Kill this process at the given operation on a name below `root`, before it happens."""
    count = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event.split(".")[0] in ("open", "os", "shutil") and any(
            str(argument).startswith(root) for argument in arguments
        ):
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def write(store: Store, arguments: argparse.Namespace, run: str) -> None:
    with store.staging() as folder:
        (folder / "weights.pt").write_text(run * 1000)
        (folder / "plots").mkdir()
        (folder / "plots" / "results.png").write_text("picture")
        if arguments.wait:
            print("staged", flush=True)
            sys.stdin.readline()
        card = store.commit(folder, CardDraft(task="detect", classes=["cat"], run=run, trained=True))
    if arguments.promote:
        store.promote(card.version)
    print("committed", flush=True)


def run(words: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--run", default="run")
    parser.add_argument("--wait", action="store_true")
    parser.add_argument("--promote", action="store_true")
    parser.add_argument("--forever", action="store_true")
    parser.add_argument("--die-at", type=int)
    arguments = parser.parse_args(words)
    if arguments.die_at:
        die_at(arguments.die_at, str(arguments.root))
    store = Store.open(arguments.root)
    write(store, arguments, arguments.run)
    number = 0
    while arguments.forever:
        number += 1
        write(store, arguments, f"{arguments.run}-{number}")
        store.pin(None if number % 2 else store.versions()[0].version)


def fork_for_each_line() -> None:
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            os.dup2(2, 1)
            run(shlex.split(line))
            os._exit(0)
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if len(sys.argv) > 1:
    run(sys.argv[1:])
else:
    fork_for_each_line()
