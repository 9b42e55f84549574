"""A process that runs into a full disk in every place it can, and prints what it was told."""

import argparse
import contextlib
import json
import os
import resource
from collections.abc import Iterator
from pathlib import Path

from lsb_backend.store.card import CardDraft
from lsb_backend.store.space import DiskFullError
from lsb_backend.store.store import Store
from lsb_backend.triggers.request import Reason, ask

MEGABYTE = 1 << 20
DRAFT = CardDraft(task="detect", classes=["cat"], trained=True)


def refusal_while_staging(store: Store) -> str:
    try:
        with store.staging() as folder:
            (folder / "weights.pt").write_bytes(bytes(2 * MEGABYTE))
    except DiskFullError as error:
        return str(error)
    return "none"


def refusal_of_commit(store: Store) -> str:
    try:
        with store.staging() as folder:
            (folder / "weights.pt").write_text("small")
            with no_room(store.root):
                store.commit(folder, DRAFT)
    except DiskFullError as error:
        return str(error)
    return "none"


def refusal_of_pin(store: Store) -> str:
    try:
        with no_room(store.root):
            store.pin(store.versions()[0].version)
    except DiskFullError as error:
        return str(error)
    return "none"


def refusal_beforehand(store: Store) -> str:
    try:
        with store.staging(needed=1 << 60):
            pass
    except DiskFullError as error:
        return str(error)
    return "none"


def refusal_of_asking_for_a_training(store: Store) -> str:
    try:
        with no_room(store.root):
            ask(store, Reason.BUTTON)
    except DiskFullError as error:
        return str(error)
    return "none"


@contextlib.contextmanager
def no_room(root: Path) -> Iterator[None]:
    """Fill the disk to the last byte, and make room again."""
    filler = root / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(512))
    try:
        yield
    finally:
        filler.unlink()


def commit_small(store: Store) -> None:
    with store.staging() as folder:
        (folder / "weights.pt").write_text("small")
        store.commit(folder, DRAFT)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--limit", action="store_true", help="limit the size of files instead of the disk")
    arguments = parser.parse_args()
    if arguments.limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (MEGABYTE, MEGABYTE))
    store = Store.open(arguments.root)
    commit_small(store)
    places = [refusal_beforehand, refusal_while_staging]
    if not arguments.limit:
        places += [refusal_of_commit, refusal_of_pin, refusal_of_asking_for_a_training]
    refusals = {place.__name__: place(store) for place in places}
    left = sorted([*os.listdir(store.root), *os.listdir(store.versions_folder)])
    commit_small(store)
    after = [card.sequence for card in store.versions()]
    print(
        json.dumps({"refusals": refusals, "left": left, "after": after, "pinned": store.promotion().pinned})
    )


main()
