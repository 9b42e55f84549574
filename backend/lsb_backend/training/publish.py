"""The last stages of a run: the candidate into the store, a verdict on it, and the result."""

import shutil

from lsb_backend.dataset.manifest import Export
from lsb_backend.store.atomic import TEMPORARY_PREFIX
from lsb_backend.store.card import Card, CardDraft
from lsb_backend.store.promotion import Grounds
from lsb_backend.store.store import EXPORTED, WEIGHTS, Store
from lsb_backend.training.evaluation import Evaluation
from lsb_backend.training.freeze import EXPORT
from lsb_backend.training.gate import Ruling, judge
from lsb_backend.training.job import Job
from lsb_backend.training.prepare import libraries
from lsb_backend.training.quiet import log_tail
from lsb_backend.training.result import RESULT, Outcome, Result, write_learned, write_result

_TEMPORARY = (
    "dataset",
    "checkpoints",
    "fit",
    "plots",
    "evaluation",
    "evaluation-exported",
    "evaluation-served",
)
_LARGE = ("trained.pt", "trained.part.pt", "model.onnx")


def commit(job: Job, base: Card, evaluation: Evaluation) -> Card:
    """The run's version in the store, put there now if it is not there yet."""
    job.report.stage("store", "writes the candidate into the store")
    made = next((card for card in job.store.versions() if card.run == job.name), None)
    if made is not None:
        return made
    plots = sorted(path.name for path in job.plots.iterdir())
    draft = CardDraft(
        task=job.backend.spec.model.task,
        classes=evaluation.classes,
        parent=base.version,
        run=job.name,
        trained=True,
        metrics=evaluation.metrics,
        dataset=evaluation.dataset,
        arguments=evaluation.arguments,
        libraries=libraries(),
        label_map={name: name for name in evaluation.classes},
        log_tail=log_tail(job.log),
        plots=[f"plots/{name}" for name in plots],
    )
    with job.store.staging(needed=2 * (job.run / "trained.pt").stat().st_size) as staging:
        shutil.copyfile(job.run / "trained.pt", staging / WEIGHTS)
        shutil.copyfile(job.exported, staging / EXPORTED)
        shutil.copytree(job.plots, staging / "plots")
        return job.store.commit(staging, draft)


def decide(job: Job, card: Card, evaluation: Evaluation) -> Result:
    """Judge the candidate by what will serve, and record the verdict in the store."""
    metrics, gate = evaluation.metrics, job.backend.spec.training.gate
    candidate = metrics.weights if job.resolved.runtime == "torch" else metrics.exported
    ruling = judge(
        job.resolved.metric, candidate, metrics.served, gate.minimum_gain, evaluation.validation_images
    )
    outcome = _outcome(ruling, gate.approval)
    # After a kill between verdict and result, somebody may have approved or rolled back meanwhile.
    if job.store.promotion().verdict(card.version) is None:
        _record(job, card, ruling, outcome)
    return Result(
        outcome=outcome,
        message=f"version {card.version} {_WORDS[outcome]}: {ruling.reason}",
        version=card.version,
        previous=evaluation.served_version,
        metric=ruling.metric,
        candidate=ruling.candidate,
        served=ruling.served,
    )


def finish(job: Job, export: Export | None, result: Result) -> Result:
    """Remember what was learned from, make room, and mark the run as finished."""
    if export is not None:
        write_learned(job.store, export)
    if result.version is not None:
        job.store.prune(job.backend.spec.training.keep_versions, job.backend.spec.model.version)
    leftovers = [path.name for path in job.run.glob(f"{TEMPORARY_PREFIX}*")]
    for name in (*_TEMPORARY, *leftovers):
        shutil.rmtree(job.run / name, ignore_errors=True)
    for name in _LARGE:
        (job.run / name).unlink(missing_ok=True)
    write_result(job.run, result)
    _drop_exports(job.store)
    job.report.stage("finish", result.message)
    return result


def _drop_exports(store: Store) -> None:
    """Remove what finished runs were given, unless it is what a version in the store was made from."""
    made = {card.run for card in store.versions()}
    for run in store.runs.iterdir():
        # Without a result it goes on from its export, and must not be given another one.
        if run.name not in made and (run / RESULT).exists():
            (run / EXPORT).unlink(missing_ok=True)


_WORDS = {
    Outcome.PROMOTED: "is promoted",
    Outcome.REJECTED: "is not promoted",
    Outcome.AWAITING_APPROVAL: "waits for approval",
}


def _outcome(ruling: Ruling, approval: str) -> Outcome:
    if not ruling.better:
        return Outcome.REJECTED
    return Outcome.PROMOTED if approval == "Auto" else Outcome.AWAITING_APPROVAL


def _record(job: Job, card: Card, ruling: Ruling, outcome: Outcome) -> None:
    verdicts = {
        Outcome.PROMOTED: job.store.promote,
        Outcome.REJECTED: job.store.reject,
        Outcome.AWAITING_APPROVAL: job.store.await_approval,
    }
    grounds: Grounds = {"reason": ruling.reason, "metric": ruling.metric}
    if ruling.candidate is not None:
        grounds["candidate"] = ruling.candidate
    if ruling.served is not None:
        grounds["served"] = ruling.served
    verdicts[outcome](card.version, **grounds)
