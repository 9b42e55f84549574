"""The dataset folder of a training: images, label lines, and a manifest of what was left out."""

import asyncio
import contextlib
import shutil
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from lsb_backend.dataset.cache import KeptPicture
from lsb_backend.dataset.entries import Entry, entries
from lsb_backend.dataset.images import Picture, UnfitImageError, picture
from lsb_backend.dataset.lines import label_lines
from lsb_backend.dataset.manifest import Export, Manifest, SkippedTask
from lsb_backend.dataset.split import Part, Split
from lsb_backend.dataset.summary import Sample, manifest_of
from lsb_backend.media.error import MediaError, Reason
from lsb_backend.media.limits import Limits
from lsb_backend.store.atomic import TEMPORARY_PREFIX, sync_folder, sync_tree
from lsb_backend.store.space import full_disk_explained
from lsb_crds.errors import UserError

MANIFEST = "manifest.json"
DATA = "data.yaml"
# How many images are fetched and checked side by side; each may take some hundred megabytes meanwhile.
WORKERS = 8

# Bytes that one write needs at least, for the message when there is no room for it.
_SMALL_WRITE = 1 << 20
# What ultralytics calls the two parts, in data.yaml and by convention in folder names.
FOLDERS = {Part.TRAIN: "train", Part.VALIDATION: "val"}

Read = Callable[[int, str], Awaitable[bytes | Picture | KeptPicture]]
Progress = Callable[[int, int], None]


class SourceDownError(UserError):
    """Label Studio stopped giving images: trying again later may help, going on would train on a part."""


@dataclass(frozen=True, slots=True)
class _Recipe:
    folder: Path
    classes: Sequence[str]
    task: str
    limits: Limits


async def build(
    export: Export,
    folder: Path,
    read: Read,
    classes: Sequence[str],
    task: str,
    split: Split,
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> Manifest:
    """Build the dataset of `task` (detect, segment) in `folder`, which appears whole or not at all.

    `read(task id, address)` gives an image file, or a picture that was checked before, and raises UserError
    if it cannot; then, as for a broken image, the task is skipped and listed. `split` must hold every
    annotated task; if all of its validation tasks turn out unusable, one is moved there, and the split is
    saved before the folder appears.
    `progress(done, total)` is called after each image.
    Raises LabelConfigError, SourceDownError, DiskFullError (all UserError), or OSError.
    """
    planned, skipped = entries(export, task)
    with full_disk_explained(folder.parent, _SMALL_WRITE), _appearing(folder) as temporary:
        recipe = _Recipe(temporary, classes, task, limits or Limits())
        outcomes = await _all(planned, read, recipe, progress)
        samples = [outcome for outcome in outcomes if isinstance(outcome, Sample)]
        skipped += [outcome for outcome in outcomes if isinstance(outcome, SkippedTask)]
        if split.ensure_validation({sample.key for sample in samples}):
            split.save()
        manifest = manifest_of(samples, skipped, split, classes, task)
        await asyncio.to_thread(_arrange, recipe, samples, split, manifest)
    return manifest


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a dataset that was built; None if there is none yet."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """A folder beside `folder` that takes its place at the end. Only one process may build it at a time."""
    temporary = folder.with_name(f"{TEMPORARY_PREFIX}{folder.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        for part in FOLDERS.values():
            (temporary / "images" / part).mkdir(parents=True)
            (temporary / "labels" / part).mkdir(parents=True)
        yield temporary
        sync_tree(temporary)
        if folder.exists():
            shutil.rmtree(folder)
        temporary.rename(folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


async def _all(
    planned: Sequence[Entry], read: Read, recipe: _Recipe, progress: Progress | None
) -> list[Sample | SkippedTask]:
    """What became of each entry, in their order."""
    waiting = iter(enumerate(planned))
    outcomes: dict[int, Sample | SkippedTask] = {}

    async def work() -> None:
        for number, entry in waiting:
            outcomes[number] = await _one(entry, read, recipe)
            if progress is not None:
                progress(len(outcomes), len(planned))

    workers = [asyncio.ensure_future(work()) for _ in range(WORKERS)]
    try:
        await asyncio.gather(*workers)
    finally:
        # Nothing more is begun, and what is under way ends by itself: a thread cannot be cancelled, and would
        # write its image into a folder that is being removed.
        deque(waiting, maxlen=0)
        await asyncio.gather(*workers, return_exceptions=True)
    return [outcomes[number] for number in sorted(outcomes)]


async def _one(entry: Entry, read: Read, recipe: _Recipe) -> Sample | SkippedTask:
    try:
        data = await read(entry.task_id, entry.address)
        return await asyncio.to_thread(_sample, entry, data, recipe)
    except UserError as error:
        down = isinstance(error, MediaError) and error.reason is Reason.UNREACHABLE
        # An image on a host of its own says nothing about Label Studio when that host is down.
        if down and not entry.address.lower().startswith(("http://", "https://")):
            raise SourceDownError(
                f"Task {entry.key}: {error} Nothing is learned from a part of the data."
            ) from None
        return SkippedTask(task=entry.key, reason=str(error))


def _sample(entry: Entry, given: bytes | Picture | KeptPicture, recipe: _Recipe) -> Sample:
    """Check an image against its annotation and put it into the folder. Raises UserError or OSError."""
    image = picture(given, recipe.limits) if isinstance(given, bytes) else given
    found = label_lines(
        entry.annotation, entry.controls, recipe.classes, recipe.task, image.width, image.height
    )
    if found.damaged and not found.lines:
        # Without its objects the image would teach that there is nothing in it.
        raise UnfitImageError(f"none of its regions can be used: {found.left_out[0]}")
    file_name = f"{entry.name}{image.extension}"
    image.put(recipe.folder / "images" / file_name)
    return Sample(
        key=entry.key,
        name=entry.name,
        file_name=file_name,
        lines=found.lines,
        left_out=found.left_out,
        image_digest=image.digest,
    )


def _arrange(recipe: _Recipe, samples: Sequence[Sample], split: Split, manifest: Manifest) -> None:
    """Give each image its part and its label lines, and describe the whole for ultralytics and for us."""
    for sample in samples:
        part = FOLDERS[split.part(sample.key)]
        images = recipe.folder / "images"
        (images / sample.file_name).rename(images / part / sample.file_name)
        text = "".join(f"{line}\n" for line in sample.lines)
        (recipe.folder / "labels" / part / f"{sample.name}.txt").write_text(text)
    # Without a `path` ultralytics looks beside the file, so the folder may be moved.
    data = {
        "train": f"images/{FOLDERS[Part.TRAIN]}",
        "val": f"images/{FOLDERS[Part.VALIDATION]}",
        "names": dict(enumerate(recipe.classes)),
    }
    (recipe.folder / DATA).write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), "utf-8")
    (recipe.folder / MANIFEST).write_text(manifest.model_dump_json(indent=1), "utf-8")
