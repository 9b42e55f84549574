"""Images of earlier trainings, kept so that each is fetched and checked once.

A volume may be shared by several Jobs, of which one trains at a time. The files are named by their content
and never written to again; `index.json` says which image of Label Studio each of them is. It is written last,
in one rename, so that a kill loses what was added and nothing else.
"""

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from lsb_backend.dataset.images import Picture
from lsb_backend.media.fetched import Identity, Validators
from lsb_backend.store.atomic import TEMPORARY_PREFIX, read_or_none, write_atomic

INDEX = "index.json"
MAXIMUM_BYTES = 16 << 30
# Raised when the same image file would become another picture, so that nothing older is used.
_FORMAT = 1
# Where a file cannot have a second name: another file system, one without links, or too many links.
_NO_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS})


class _Entry(BaseModel):
    """One image: where it is, what it measures, and what tells whether it is still the same."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    file: str
    bytes: int
    modified: int
    width: int
    height: int
    etag: str = ""
    last_modified: str = ""
    used: int = 0


class _Index(BaseModel):
    """`entries` by SHA-256 of the image's name, which may hold a signature; `runs` counts the commits."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    format: int = _FORMAT
    runs: int = 0
    entries: dict[str, _Entry] = {}


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """A picture that was checked before; like `Picture`, with a file in place of its data."""

    path: Path
    digest: str
    extension: str
    width: int
    height: int
    validators: Validators

    def put(self, path: Path) -> None:
        """Give the file a second name, or copy it where that cannot be. Raises OSError."""
        try:
            os.link(self.path, path)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            shutil.copyfile(self.path, path)


class ImageCache:
    """The images in `folder`, which is made if it is missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._index = _read(folder)
        self._used: dict[str, _Entry] = {}

    def known(self, identity: Identity) -> KeptPicture | None:
        """The picture of an image, if it is here and nobody has changed its file."""
        key = _key(identity)
        entry = self._used.get(key) or self._index.entries.get(key)
        if entry is None:
            return None
        path = self._folder / entry.file
        try:
            found = path.stat()
        except OSError:
            return None
        # A trainer may mend a file in place, and a power cut leave one without its content.
        if (found.st_size, found.st_mtime_ns) != (entry.bytes, entry.modified):
            return None
        self._used[key] = entry
        return KeptPicture(
            path=path,
            digest=path.stem,
            extension=path.suffix,
            width=entry.width,
            height=entry.height,
            validators=Validators(entry.etag, entry.last_modified),
        )

    def add(self, identity: Identity, picture: Picture, validators: Validators) -> KeptPicture | Picture:
        """Keep a picture; if there is no room for it, it is given back as it is. Raises other OSError."""
        path = self._folder / f"{picture.digest}{picture.extension}"
        temporary = self._folder / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"
        try:
            picture.put(temporary)
            temporary.replace(path)
            found = path.stat()
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                return picture
            raise
        self._used[_key(identity)] = _Entry(
            file=path.name,
            bytes=found.st_size,
            modified=found.st_mtime_ns,
            width=picture.width,
            height=picture.height,
            etag=validators.etag,
            last_modified=validators.last_modified,
        )
        return KeptPicture(path, picture.digest, picture.extension, picture.width, picture.height, validators)

    def commit(self, maximum: int | None = None) -> None:
        """Remember what was used, and drop what was not used for longest beyond `maximum` bytes.

        What is added counts from here on, and must be on the disk by now. Raises OSError.
        """
        limit = _room(self._folder, self._size()) if maximum is None else maximum
        runs = self._index.runs + 1
        used = {key: entry.model_copy(update={"used": runs}) for key, entry in self._used.items()}
        entries = _newest({**self._index.entries, **used}, limit)
        self._index = _Index(runs=runs, entries=entries)
        write_atomic(self._folder / INDEX, self._index.model_dump_json().encode())
        kept = {INDEX, *(entry.file for entry in entries.values())}
        for path in self._folder.iterdir():
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def _size(self) -> int:
        return sum(path.stat().st_size for path in self._folder.iterdir())


def _read(folder: Path) -> _Index:
    """The index; an empty one if there is none, or none that this release can read: it is but a cache."""
    try:
        found = _Index.model_validate_json(read_or_none(folder / INDEX) or b"{}")
    except ValidationError:
        return _Index()
    return found if found.format == _FORMAT else _Index()


def _newest(entries: Mapping[str, _Entry], limit: int) -> dict[str, _Entry]:
    """The entries used last whose files, each counted once, have at most `limit` bytes."""
    kept: dict[str, _Entry] = {}
    files: set[str] = set()
    total = 0
    for key, entry in sorted(entries.items(), key=lambda pair: -pair[1].used):
        total += 0 if entry.file in files else entry.bytes
        if total > limit:
            break
        files.add(entry.file)
        kept[key] = entry
    return kept


def _room(folder: Path, held: int) -> int:
    """Bytes that the cache may have: half of what would be free without it, as versions need room too."""
    return min(MAXIMUM_BYTES, (shutil.disk_usage(folder).free + held) // 2)


def _key(identity: Identity) -> str:
    return sha256(identity.name.encode()).hexdigest()
