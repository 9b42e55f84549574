"""The result of a training whose process could not write one itself."""

import logging

from pydantic import ValidationError

from lsb_backend.dataset.manifest import Export
from lsb_backend.store.store import Store
from lsb_backend.training.freeze import EXPORT
from lsb_backend.training.result import Outcome, Result, write_learned, write_result
from lsb_backend.triggers.request import Run

log = logging.getLogger(__name__)


def write_failure(store: Store, run: Run, message: str) -> None:
    """Finish `run` as failed, and remember what it was given, so that the same does not start another."""
    try:
        write_learned(store, Export.model_validate_json((run.folder / EXPORT).read_bytes()))
    except FileNotFoundError:
        # It ended before it had read any annotations, so it has learned of none.
        log.debug("Run %s has no export", run.name)
    except ValidationError as error:
        log.warning("The export of run %s cannot be read: %s", run.name, error)
    write_result(run.folder, Result(outcome=Outcome.FAILED, message=message))
