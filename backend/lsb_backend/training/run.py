"""The training program: from annotations to a judged version, going on wherever it was killed.

Every stage leaves a file behind by one rename, and is skipped when the file is there.
"""

import asyncio
import contextlib
import json
import traceback
from collections.abc import Sequence
from pathlib import Path

from lsb_backend.dataset.manifest import Export, Manifest
from lsb_backend.labels.config import Label
from lsb_backend.runtime.ultralytics_settings import ultralytics_environment
from lsb_backend.store.atomic import read_or_none, write_atomic
from lsb_backend.store.card import Card
from lsb_backend.store.space import full_disk_explained
from lsb_backend.store.store import Store
from lsb_backend.training import data, publish
from lsb_backend.training.errors import DataError, TooFewAnnotationsError
from lsb_backend.training.evaluation import Evaluation, read_evaluation
from lsb_backend.training.freeze import EXPORT
from lsb_backend.training.job import Job
from lsb_backend.training.learnable import untrainable
from lsb_backend.training.lock import training_lock
from lsb_backend.training.prepare import prepare
from lsb_backend.training.progress import Reporter
from lsb_backend.training.quiet import printing_into
from lsb_backend.training.result import Outcome, Result, read_result
from lsb_backend.training.termination import ending_on_sigterm
from lsb_crds.backend import LabelStudioBackend
from lsb_crds.errors import UserError

_BASE = "base.json"
# Bytes that one write needs at least, for the message when there is no room for it.
_SMALL_WRITE = 1 << 20


class TrainingError(UserError):
    """A training that failed for a reason that may not come again."""


def train(
    backend: LabelStudioBackend, store: Store, studio_url: str, token: str, run: Path, report: Reporter
) -> Result:
    """Do the run in folder `run` to its end; a finished one is not done again.

    Raises DataError (exit code 42), after which the run is finished as failed, and UserError (exit code 1)
    for what may go better next time: the run goes on from there when `train` is called again.
    """
    run.mkdir(parents=True, exist_ok=True)
    job = Job(backend, store, studio_url, token, run, report)
    with ending_on_sigterm(), training_lock(store.training_lock, run.name):
        result = read_result(run)
        if result is not None:
            report.note(f"run {run.name} is finished: {result.message}")
            return result
        return _guarded(job)


def _guarded(job: Job) -> Result:
    try:
        with full_disk_explained(job.store.root, _SMALL_WRITE):
            return _stages(job)
    except DataError as error:
        # Too few count on: nothing is started below the minimum, and those to come join them.
        given = None if isinstance(error, TooFewAnnotationsError) else _export(job.run)
        publish.finish(job, given, Result(outcome=Outcome.FAILED, message=str(error)))
        raise
    except UserError:
        raise
    # ultralytics and torch raise whatever comes up; a person gets a line of it, the log the rest.
    except Exception as error:
        with contextlib.suppress(OSError), job.log.open("a", encoding="utf-8") as log:
            traceback.print_exc(file=log)
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise TrainingError(f"run {job.name} failed: {reason} (the whole story is in {job.log})") from error


def _stages(job: Job) -> Result:
    if refusal := untrainable(job.backend.spec.model.task):
        raise DataError(refusal)
    base = _base(job)
    export = asyncio.run(data.freeze(job))
    evaluation = read_evaluation(job.run)
    if evaluation is None:
        manifest, labels = asyncio.run(data.dataset(job, export))
        evaluation = _measured(job, base, manifest, labels)
    card = publish.commit(job, base, evaluation)
    return publish.finish(job, export, publish.decide(job, card, evaluation))


def _measured(job: Job, base: Card, manifest: Manifest, labels: Sequence[Label]) -> Evaluation:
    # Not before they are needed: torch and ultralytics take seconds, and a refusal should not.
    ultralytics_environment()
    from lsb_backend.training import measure

    with printing_into(job.log):
        plan = measure.fit_candidate(job, base, labels)
        return measure.measure(job, plan, manifest, labels, _served(job))


def _base(job: Job) -> Card:
    """The version the run starts from: what served when it started, whatever serves by now."""
    path = job.run / _BASE
    data = read_or_none(path)
    if data is not None:
        return job.store.card(json.loads(data)["version"])
    card = _served(job)
    write_atomic(path, json.dumps({"version": card.version}).encode())
    return card


def _served(job: Job) -> Card:
    version = job.store.target(job.backend.spec.model.version)
    card = None if version is None else job.store.card(version)
    # An empty store, or one from the time when the backend was a dummy.
    if card is None or card.task != job.backend.spec.model.task:
        return prepare(job.backend, job.store, job.report)
    return card


def _export(run: Path) -> Export | None:
    data = read_or_none(run / EXPORT)
    return None if data is None else Export.model_validate_json(data)
