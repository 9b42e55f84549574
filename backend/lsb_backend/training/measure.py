"""The middle stages of a run: fit a candidate, and measure it and the served version side by side."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from lsb_backend.dataset.build import DATA
from lsb_backend.dataset.manifest import Manifest
from lsb_backend.labels.config import Label
from lsb_backend.runtime.export import export_onnx
from lsb_backend.runtime.threads import cpu_quota
from lsb_backend.store.card import Card, DatasetSummary, Metrics, SkippedTask
from lsb_backend.store.store import EXPORTED, WEIGHTS
from lsb_backend.training.arguments import GPU_BATCH, ignored, merge
from lsb_backend.training.evaluate import Validation, evaluate
from lsb_backend.training.evaluation import Evaluation, write_evaluation
from lsb_backend.training.fit import Plan, fit
from lsb_backend.training.heads import transfer_names
from lsb_backend.training.job import Job
from lsb_backend.training.pictures import SAMPLES, Look, collect, draw_samples
from lsb_backend.training.workers import free_shared_memory, worker_count


def fit_candidate(job: Job, base: Card, labels: Sequence[Label]) -> Plan:
    """Fit from the version `base`; the weights are `trained` of what is returned."""
    weights = job.store.folder(base.version) / WEIGHTS
    job.report.stage("fit", f"fine-tunes version {base.version} to {len(labels)} classes")
    plan = Plan(
        base=weights,
        names=transfer_names(base.classes, labels),
        data=job.dataset / DATA,
        task=job.backend.spec.model.task,
        arguments=_arguments(job),
        run=job.run,
    )
    fit(plan, job.report)
    return plan


def measure(job: Job, plan: Plan, manifest: Manifest, labels: Sequence[Label], served: Card) -> Evaluation:
    """Export the candidate, measure it and the version `served`, draw both, and keep the figures."""
    job.report.stage("evaluate", f"compares the candidate with version {served.version}")
    if not job.exported.exists():
        export_onnx(plan.trained, job.exported, job.backend.spec.model.image_size)
    evaluation = Evaluation(
        metrics=_metrics(job, plan, labels, served),
        served_version=served.version,
        classes=manifest.classes,
        arguments=dict(plan.arguments),
        dataset=_summary(manifest),
        validation_images=manifest.validation,
    )
    _draw(job, plan, served)
    write_evaluation(job.run, evaluation)
    return evaluation


def _arguments(job: Job) -> dict[str, Any]:
    """What ultralytics is told, with as many workers as this machine can bear."""
    spec = job.backend.spec
    given = spec.training.arguments
    if names := ignored(given):
        job.report.note(f"training.arguments: {', '.join(names)} are set by the training itself and left out")
    gpu = torch.cuda.is_available() and str(given.get("device")) != "cpu"
    arguments = merge(given, spec.training.epochs, spec.model.image_size, gpu)
    if not gpu:
        # Without a GPU ultralytics reads the images in the training's own process.
        return arguments | {"workers": 0}
    batch = int(arguments["batch"]) if arguments["batch"] >= 1 else GPU_BATCH
    workers = worker_count(
        arguments["workers"], cpu_quota(), free_shared_memory(), batch, int(arguments["imgsz"])
    )
    job.report.note(f"{workers.count} processes read images: {workers.reason}")
    return arguments | {"workers": workers.count}


def _metrics(job: Job, plan: Plan, labels: Sequence[Label], served: Card) -> Metrics:
    device = plan.arguments.get("device")
    validation = Validation(
        plan.data,
        plan.task,
        labels,
        job.backend.spec.model.image_size,
        None if device is None else str(device),
    )
    names = [label.name for label in labels]
    candidate = evaluate(plan.trained, names, validation, job.run / "evaluation", plots=True)
    return Metrics(
        weights=candidate,
        exported=evaluate(job.exported, names, validation, job.run / "evaluation-exported"),
        served=_served_figures(job, served, validation, candidate),
    )


def _served_figures(
    job: Job, served: Card, validation: Validation, like: Mapping[str, float]
) -> dict[str, float]:
    if not served.trained:
        # Random weights propose nothing when served, so they find nothing.
        return dict.fromkeys(like, 0.0)
    return evaluate(served_file(job, served), served.classes, validation, job.run / "evaluation-served")


def served_file(job: Job, card: Card) -> Path:
    """The model file that serves where the manifest's runtime runs the version."""
    folder = job.store.folder(card.version)
    exported = folder / EXPORTED
    return folder / WEIGHTS if job.resolved.runtime == "torch" or not exported.exists() else exported


def _draw(job: Job, plan: Plan, served: Card) -> None:
    model = job.backend.spec.model
    look = Look(model.confidence, model.iou, model.image_size)
    shutil.rmtree(job.plots, ignore_errors=True)
    job.plots.mkdir()
    collect(plan.output, job.run / "evaluation", job.plots)
    images = sorted((job.dataset / "images" / "val").iterdir())[:SAMPLES]
    before = job.store.folder(served.version) / WEIGHTS if served.trained else None
    draw_samples(before, images, look, job.plots, "before")
    draw_samples(plan.trained, images, look, job.plots, "after")


def _summary(manifest: Manifest) -> DatasetSummary:
    regions = {f"train {name}": count for name, count in manifest.train_regions.items()}
    regions |= {f"validation {name}": count for name, count in manifest.validation_regions.items()}
    return DatasetSummary(
        digest=manifest.digest,
        counts={"train": manifest.train, "validation": manifest.validation, **regions},
        skipped=[SkippedTask(task=skipped.task, reason=skipped.reason) for skipped in manifest.skipped],
    )
