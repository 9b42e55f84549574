"""The first stages of a run: a frozen export, a split, and a dataset."""

import asyncio
from pathlib import Path

from lsb_backend.dataset.annotations import digests
from lsb_backend.dataset.build import build, read_manifest
from lsb_backend.dataset.cache import ImageCache
from lsb_backend.dataset.manifest import Export, Manifest
from lsb_backend.dataset.source import CachedImages
from lsb_backend.dataset.split import Split
from lsb_backend.label_studio.client import LabelStudio
from lsb_backend.labels.config import Label
from lsb_backend.media.media import Media
from lsb_backend.training.errors import DataError
from lsb_backend.training.freeze import frozen_export, require_annotations
from lsb_backend.training.job import Job
from lsb_backend.training.learning import labels_to_learn

_SHOWN = 3


async def freeze(job: Job) -> Export:
    """The run's annotated tasks. Raises UserError if they cannot be had, DataError if there are too few."""
    spec = job.backend.spec
    job.report.stage("freeze", f"reads the annotated tasks from {job.studio_url}")
    async with LabelStudio.connect(job.studio_url, job.token) as studio:
        export = await frozen_export(studio, spec.label_studio.projects, job.resolved.backend_url, job.run)
    count = require_annotations(export, spec.training.minimum_annotations)
    job.report.note(f"{count} annotated tasks")
    return export


async def dataset(job: Job, export: Export) -> tuple[Manifest, tuple[Label, ...]]:
    """The run's dataset, built if it is not there, and the labels by class index.

    Raises DataError if nothing can be learned or nothing judged, SourceDownError to try again.
    """
    spec = job.backend.spec
    labels = labels_to_learn(export, spec.model.task)
    manifest = read_manifest(job.dataset)
    if manifest is None:
        split = Split.load(job.store.split_file)
        keys = digests({project.id: project.tasks for project in export.projects})
        split.assign(keys, spec.training.validation_fraction)
        split.save()
        job.report.stage("dataset", f"reads the images of {len(keys)} tasks")
        manifest = await _build(job, export, [label.name for label in labels], split)
    _require_usable(manifest)
    job.report.note(_summary(manifest))
    return manifest, labels


async def _build(job: Job, export: Export, classes: list[str], split: Split) -> Manifest:
    spec = job.backend.spec.label_studio
    directory = Path(spec.media.path) if spec.media and spec.media.path else None
    async with (
        LabelStudio.connect(job.studio_url, job.token) as studio,
        Media(studio, spec.media_hosts, directory) as media,
    ):
        cache = ImageCache(job.store.images_cache)
        images = CachedImages(media, cache)
        manifest = await build(export, job.dataset, images.read, classes, job.backend.spec.model.task, split)
        await asyncio.to_thread(_keep, cache, job)
        return manifest


def _keep(cache: ImageCache, job: Job) -> None:
    """Keep the images for the next training; the dataset is on the disk, and every file that it shares."""
    try:
        cache.commit()
    except OSError as error:
        job.report.note(f"the images are not kept for the next training: {error}")


def _require_usable(manifest: Manifest) -> None:
    """Raise DataError if the dataset has nothing to learn from, or nothing to judge by."""
    regions = sum(manifest.train_regions.values())
    if manifest.train and manifest.validation and regions:
        return
    missing = (
        "image to learn from"
        if not manifest.train
        else "region to learn from"
        if not regions
        else "image to judge by"
    )
    reasons = [f"task {skipped.task}: {skipped.reason}" for skipped in manifest.skipped]
    reasons += [f"{left.regions} regions: {left.reason}" for left in manifest.left_out]
    why = "; ".join(reasons[:_SHOWN]) or "annotate more tasks"
    raise DataError(
        f"no usable {missing}: {manifest.train} images to learn from with {regions} regions, "
        f"{manifest.validation} to judge by, {len(manifest.skipped)} tasks left out ({why})"
    )


def _summary(manifest: Manifest) -> str:
    text = f"{manifest.train} images to learn from, {manifest.validation} to judge by"
    if not manifest.skipped:
        return text
    first = manifest.skipped[0]
    return f"{text}; {len(manifest.skipped)} tasks left out, such as {first.task}: {first.reason}"
