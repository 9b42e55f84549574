"""The folder of one backend: its versions, which of them serves, and what trainings leave behind."""

import contextlib
import logging
import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Unpack

from pydantic import BaseModel

from lsb_backend.store import atomic
from lsb_backend.store.card import Card, CardDraft
from lsb_backend.store.promotion import Decision, Grounds, Promotion, Verdict, anew, decide, pin
from lsb_backend.store.reading import read_model, sha256_of
from lsb_backend.store.space import DiskFullError, full_disk_explained, full_disk_message, tree_size
from lsb_crds.errors import UserError

STORE_FORMAT = 1
WEIGHTS = "weights.pt"
EXPORTED = "model.onnx"
CARD = "card.json"

# Bytes that one of the store's small files needs at most, for the message when there is no room for it.
_SMALL_WRITE = 1 << 20
_VERSION = re.compile(r"^(\d+)-[0-9a-f]{8}$")
_log = logging.getLogger(__name__)


class _StoreFile(BaseModel):
    format: int


class Store:
    """Versions are written once and never changed; `promoted.json` alone says which of them serves.

    Any number of processes may use one store. Reading takes no lock: what is visible is whole.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.versions_folder = root / "versions"
        self.runs = root / "runs"
        self.images_cache = root / "cache" / "images"
        self.compiled_cache = root / "cache" / "compiled"
        self.split_file = root / "split.json"
        self.learned_file = root / "learned.json"
        self.training_lock = root / "training.lock"
        self._promotion_file = root / "promoted.json"
        self._lock_file = root / ".lock"

    @classmethod
    def open(cls, root: Path) -> "Store":
        """Open the store in `root`, made if missing, and clear what killed writers left.

        Raises UserError for a path that cannot be a store, or one written by a newer release.
        """
        store = cls(root)
        try:
            with full_disk_explained(root, _SMALL_WRITE):
                root.mkdir(parents=True, exist_ok=True)
                store._prepare()
        except (FileExistsError, NotADirectoryError) as error:
            raise UserError(
                f"{root}: cannot hold the store, {error.filename} is a file: choose a folder"
            ) from error
        except OSError as error:
            reason = error.strerror or str(error)
            raise UserError(
                f"{root}: cannot be written ({reason}): make it writable or use --store"
            ) from error
        return store

    def versions(self) -> list[Card]:
        """The readable versions, by sequence; an unreadable one is named in the log."""
        cards = []
        for name in self._names():
            try:
                cards.append(self.card(name))
            except UserError as error:
                _log.warning("%s", error)
        return cards

    def folder(self, version: str) -> Path:
        """The folder of a version in the store. Raises UserError, naming the versions there are."""
        path = self.versions_folder / version
        if not _VERSION.match(version) or not path.is_dir():
            names = ", ".join(self._names()) or "none yet"
            raise UserError(f"version {version} is not in {self.root}: it has {names}")
        return path

    def card(self, version: str) -> Card:
        """The card of a version. Raises UserError where the version is missing or its card unreadable."""
        path, advice = self.folder(version) / CARD, "the version is left out"
        card = read_model(path, Card, advice)
        if card.version != version:
            raise UserError(f"{path}: unreadable (it is the card of version {card.version}): {advice}")
        return card

    @contextlib.contextmanager
    def staging(self, needed: int = 0) -> Iterator[Path]:
        """A folder to put a new version's files into, gone at the end unless it was committed.

        `needed` is the expected size in bytes, if known. Raises DiskFullError before or while writing.
        """
        if needed > shutil.disk_usage(self.root).free:
            raise DiskFullError(full_disk_message(self.root, needed))
        with atomic.temporary_folder(self.versions_folder, self._lock_file) as folder:
            try:
                yield folder
            except OSError:
                # Measured before the folder goes, so that the figure is what was written and not nothing.
                with full_disk_explained(self.root, max(needed, tree_size(folder) + 1)):
                    raise

    def commit(self, staging: Path, draft: CardDraft) -> Card:
        """Make the staged files a version, whole, in one rename. The first version is promoted with it.

        A second commit of the same run returns the first one's card. Raises UserError without weights.
        """
        if not (staging / WEIGHTS).is_file():
            raise UserError(f"{staging / WEIGHTS}: missing, a version needs its weights")
        files = [path for path in (staging / WEIGHTS, staging / EXPORTED) if path.is_file()]
        checksums = {path.name: sha256_of(path) for path in files}
        with full_disk_explained(self.root, tree_size(staging) + 1):
            atomic.sync_tree(staging)
            with atomic.exclusive(self._lock_file):
                card = self._committed(draft.run) or self._publish(staging, draft, checksums)
                if card.sequence == 0:
                    self._decide(
                        Decision(version=card.version, verdict=Verdict.PROMOTED, reason="first version")
                    )
        return card

    def verify(self, version: str) -> None:
        """Read a version's model files again. Raises UserError if one is not what was committed."""
        folder, card = self.folder(version), self.card(version)
        for name, expected in card.checksums.items():
            path = folder / name
            if not path.is_file() or sha256_of(path) != expected:
                raise UserError(
                    f"{path}: missing or changed since it was written: pin another version or train again"
                )

    def promotion(self) -> Promotion:
        """What serves and why. Raises UserError if the file is damaged, or gone from a store that had one."""
        # Listed before the look at the file, which whoever adds a version meanwhile has written before it.
        names = self._names()
        there = self._promotion_file.exists()
        # Version 0 alone is what a kill between its rename and its promotion leaves.
        if not there and not any(sequence_of(name) > 0 for name in names):
            return Promotion()
        advice = (
            f"restore it from a backup, or {'delete it and ' if there else ''}pin the version to serve "
            f"({', '.join(names) or 'none yet'}): lsb pin -f backend.yaml VERSION"
        )
        return read_model(self._promotion_file, Promotion, advice)

    def promote(self, version: str, **grounds: Unpack[Grounds]) -> Promotion:
        """Let a version serve. Raises UserError if it is missing or was rolled back."""
        return self._record(version, Verdict.PROMOTED, grounds)

    def reject(self, version: str, **grounds: Unpack[Grounds]) -> Promotion:
        """Keep a version without serving it. Raises UserError if it is missing or was promoted."""
        return self._record(version, Verdict.REJECTED, grounds)

    def await_approval(self, version: str, **grounds: Unpack[Grounds]) -> Promotion:
        """Let a person decide about a version. Raises UserError if it is missing or was promoted."""
        return self._record(version, Verdict.AWAITING_APPROVAL, grounds)

    def roll_back(self, version: str, **grounds: Unpack[Grounds]) -> Promotion:
        """Serve the one before `version` and never choose `version` again; a pin on it is taken off.

        Raises UserError if it is missing or no earlier version was promoted.
        """
        return self._record(version, Verdict.ROLLED_BACK, grounds)

    def pin(self, version: str | None) -> Promotion:
        """Serve this version whatever is promoted; None ends that. Raises UserError if it is missing.

        Where `promoted.json` is gone the version is promoted as well, which begins a new record.
        """
        with self._writing():
            if version is not None:
                self.folder(version)
                if not self._promotion_file.exists():
                    self._write(anew(version))
            return self._save(pin(self.promotion(), version))

    def target(self, manifest_version: str | None) -> str | None:
        """The version to serve: the manifest's, else the pinned, else the promoted; None in an empty store.

        Raises UserError if that version is not in the store: another one is never served in its place.
        """
        promotion = self.promotion()
        version = manifest_version or promotion.pinned or promotion.promoted
        if version is not None:
            self.folder(version)
        return version

    def prune(self, keep: int, manifest_version: str | None = None) -> list[str]:
        """Delete all but the newest `keep` versions; returns the names of the deleted ones.

        Kept besides: the promoted, previous, pinned and newest version, `manifest_version`, the newest
        candidate while it waits for approval, and those whose card cannot be read.
        """
        with self._writing():
            cards, promotion = self.versions(), self.promotion()
            protected = {promotion.promoted, promotion.previous, promotion.pinned, manifest_version}
            protected.add(promotion.awaiting())
            gone = [card.version for card in cards[: -max(keep, 1)] if card.version not in protected]
            for version in gone:
                # Out of sight in one rename, so that a kill while deleting leaves no half version.
                hidden = self.versions_folder / f"{atomic.TEMPORARY_PREFIX}{version}"
                (self.versions_folder / version).rename(hidden)
                shutil.rmtree(hidden)
        return gone

    def _prepare(self) -> None:
        with atomic.exclusive(self._lock_file):
            self._check_format()
            for folder in (self.versions_folder, self.runs, self.images_cache):
                folder.mkdir(parents=True, exist_ok=True)
            for folder in (self.root, self.versions_folder):
                atomic.clean_leftovers(folder)

    def _check_format(self) -> None:
        path = self.root / "store.json"
        if not path.exists():
            atomic.write_atomic(path, _StoreFile(format=STORE_FORMAT).model_dump_json().encode())
        found = read_model(path, _StoreFile, "restore it from a backup or use --store").format
        if found > STORE_FORMAT:
            raise UserError(
                f"{path}: written by a newer release (format {found}, this one reads {STORE_FORMAT}): "
                "upgrade lsbackends or use --store"
            )

    def _names(self) -> list[str]:
        """Names of the version folders by sequence, readable or not."""
        try:
            names = [name for name in os.listdir(self.versions_folder) if _VERSION.match(name)]
        except OSError as error:
            raise UserError(
                f"{self.versions_folder}: cannot be read ({error.strerror}): bring it back, or use --store"
            ) from error
        return sorted(names, key=sequence_of)

    def _committed(self, run: str | None) -> Card | None:
        return next((card for card in self.versions() if run is not None and card.run == run), None)

    def _publish(self, staging: Path, draft: CardDraft, checksums: dict[str, str]) -> Card:
        """Name, describe and show the version. The caller holds the lock."""
        # The history knows of versions deleted since, whose numbers must not come back.
        known = [*self._names(), *(entry.version for entry in self.promotion().history)]
        sequence = max((sequence_of(name) for name in known), default=-1) + 1
        card = Card(
            **draft.model_dump(),
            version=f"{sequence}-{checksums[WEIGHTS][:8]}",
            sequence=sequence,
            sha256=checksums[WEIGHTS],
            checksums=checksums,
            created_at=datetime.now(UTC),
        )
        atomic.write_atomic(staging / CARD, card.model_dump_json(indent=2).encode())
        atomic.publish_folder(staging, self.versions_folder / card.version)
        return card

    def _record(self, version: str, verdict: Verdict, grounds: Grounds) -> Promotion:
        with self._writing():
            self.folder(version)
            return self._decide(Decision(version=version, verdict=verdict, **grounds))

    def _decide(self, decision: Decision) -> Promotion:
        return self._save(decide(self.promotion(), decision))

    def _save(self, promotion: Promotion) -> Promotion:
        return promotion if promotion == self.promotion() else self._write(promotion)

    def _write(self, promotion: Promotion) -> Promotion:
        atomic.write_atomic(self._promotion_file, promotion.model_dump_json(indent=2).encode())
        return promotion

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        with full_disk_explained(self.root, _SMALL_WRITE), atomic.exclusive(self._lock_file):
            yield


def sequence_of(version: str) -> int:
    """The number a version's name starts with."""
    return int(version.partition("-")[0])
