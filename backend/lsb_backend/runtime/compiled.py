"""Compiled models kept from one start to the next: compiling takes longer than everything else."""

import contextlib
import hashlib
import io
import json
import logging
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import Any

from lsb_backend.runtime.network import Description
from lsb_backend.store.atomic import clean_leftovers, write_atomic

log = logging.getLogger(__name__)
KEPT = 8
ROOM = 2**30
_SUFFIX = ".compiled"
_MODEL = 16
"""How many digits of a model's SHA-256 begin the name of what was compiled from it."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled model as its library reads it, and what the file it was made from says of itself."""

    data: io.BytesIO
    description: Description


class CompiledModels:
    """A folder of compiled models, in which those stay that were used last: `kept` of them, in `room` bytes.

    Any number of processes may share it: files are written whole under a name that says everything the
    content depends on. A folder that cannot be read or written costs time and nothing else.
    """

    def __init__(self, folder: Path, kept: int = KEPT, room: int = ROOM) -> None:
        self._folder = folder
        self._kept = kept
        self._room = room

    def name(self, model: Path, processor: str, settings: Mapping[str, Any]) -> str:
        """The name under which `model`, compiled for this processor by this release, is kept."""
        with model.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        made_by = [content, version("openvino"), processor, _instructions(), sorted(settings.items())]
        return f"{content[:_MODEL]}-{hashlib.sha256(json.dumps(made_by).encode()).hexdigest()[:32]}"

    def read(self, name: str) -> Compiled | None:
        """What is kept under `name`, None if nothing is, or something damaged."""
        path = self._path(name)
        try:
            data = path.read_bytes()
            head, _, body = data.partition(b"\n")
            said = json.loads(head)
            if said.pop("sha256") != hashlib.sha256(body).hexdigest():
                raise ValueError("its content is not what was written")
            names = said["names"]
            description = Description(None if names is None else tuple(names), said["task"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self.discard(name, error)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return Compiled(io.BytesIO(body), description)

    def write(self, name: str, description: Description, export: Callable[[], Any]) -> None:
        """Keep what `export` gives, a stream or bytes."""
        try:
            exported = export()
            body = exported.getvalue() if hasattr(exported, "getvalue") else bytes(exported)
            head = json.dumps({"sha256": hashlib.sha256(body).hexdigest(), **asdict(description)}).encode()
            self._folder.mkdir(parents=True, exist_ok=True)
            clean_leftovers(self._folder)
            write_atomic(self._path(name), head + b"\n" + body)
            self._remove_oldest()
        except Exception as error:  # a library that cannot export, a volume that is full or read-only
            log.debug("The compiled model is not kept: %s", error)

    def keep_only(self, models: Collection[str]) -> None:
        """Remove what was compiled from other models than those with these SHA-256: they are gone."""
        known = {digest[:_MODEL] for digest in models}
        for path in self._folder.glob(f"*{_SUFFIX}"):
            if path.name.partition("-")[0] not in known:
                self._remove(path)

    def discard(self, name: str, error: Exception) -> None:
        """Remove what cannot be used; it is made anew."""
        log.warning("A compiled model cannot be used and is made anew: %s", error)
        self._remove(self._path(name))

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"

    def _remove_oldest(self) -> None:
        paths = sorted(self._folder.glob(f"*{_SUFFIX}"), key=_used, reverse=True)
        held = accumulate(_size(path) for path in paths)
        for number, (path, together) in enumerate(zip(paths, held, strict=True)):
            # The first is the one that was written just now.
            if number and (number >= self._kept or together > self._room):
                self._remove(path)

    @staticmethod
    def _remove(path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            log.debug("%s cannot be removed: %s", path, error)


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _instructions() -> str:
    """What the processor can do: two of one name may differ in a virtual machine."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return os.uname().machine
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")
