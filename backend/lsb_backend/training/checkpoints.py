"""Finished epochs that survive whatever happens to the process."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch

from lsb_backend.store.atomic import TEMPORARY_PREFIX, sync_folder

KEPT = 2
BEST = "best.pt"
_NAME = re.compile(r"^epoch-(\d+)\.pt$")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a training after `epoch` epochs."""

    path: Path
    epoch: int


def keep(written: Path, folder: Path, epoch: int, best: bool = False) -> None:
    """Put ultralytics' `last.pt` aside as `epoch-<n>.pt` and drop all but the newest few.

    ultralytics writes over `last.pt` in place; killed meanwhile it would leave half a file and no other. The
    `best` epoch is `best.pt` too: the same file under a second name, which it has before the epoch counts.
    """
    copy = folder / f"{TEMPORARY_PREFIX}epoch-{epoch}.pt"
    copy_durably(written, copy)
    if best:
        _link(copy, folder / BEST)
    copy.replace(folder / f"epoch-{epoch}.pt")
    sync_folder(folder)
    for old in _numbered(folder)[KEPT:]:
        old.path.unlink(missing_ok=True)


def newest(folder: Path) -> Checkpoint | None:
    """The newest checkpoint that can be read in full; None if there is none."""
    return next((checkpoint for checkpoint in _numbered(folder) if loads(checkpoint.path)), None)


def loads(path: Path) -> bool:
    """Whether a file holds a model. It is unpickled: only for files that a training of ours wrote."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=False)
    # A damaged archive fails as anything: OSError, RuntimeError, EOFError, pickle's own errors, KeyError.
    except Exception:
        return False
    return isinstance(content, dict) and (content.get("ema") or content.get("model")) is not None


def copy_durably(source: Path, destination: Path) -> None:
    """Copy a file so that `destination` is whole and on the disk, or as it was."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    temporary = destination.with_name(f"{TEMPORARY_PREFIX}copy-{destination.name}")
    shutil.copyfile(source, temporary)
    move_durably(temporary, destination)


def _link(source: Path, destination: Path) -> None:
    """Give a finished file a second name in place of another's, or copy it where it cannot have two."""
    second = destination.with_name(f"{TEMPORARY_PREFIX}{destination.name}")
    second.unlink(missing_ok=True)
    try:
        os.link(source, second)
    except OSError:
        copy_durably(source, destination)
    else:
        second.replace(destination)


def move_durably(source: Path, destination: Path) -> None:
    """Give a finished file of the same file system its name, with its content on the disk first."""
    with source.open("rb") as file:
        os.fsync(file.fileno())
    source.replace(destination)
    sync_folder(destination.parent)


def _numbered(folder: Path) -> list[Checkpoint]:
    """The checkpoints by name, newest first; none where there is no folder."""
    found = [
        Checkpoint(path, int(match[1]))
        for path in folder.glob("epoch-*.pt")
        if (match := _NAME.match(path.name))
    ]
    return sorted(found, key=lambda checkpoint: -checkpoint.epoch)
