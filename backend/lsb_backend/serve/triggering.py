"""From a webhook to a training: what the routes call, and what the counting of annotations leads to."""

import logging

from lsb_backend.serve.status import Entry, Status
from lsb_backend.training.learnable import untrainable
from lsb_backend.triggers.count import AnnotationCount, Count
from lsb_backend.triggers.request import Reason
from lsb_backend.triggers.trainings import Progress, Trainings
from lsb_crds.backend import LabelStudioBackend
from lsb_crds.errors import UserError

log = logging.getLogger(__name__)


class WebhookTriggers:
    """Lets webhooks set off what the manifest allows."""

    def __init__(self, backend: LabelStudioBackend, trainings: Trainings, counting: AnnotationCount) -> None:
        self._spec = backend.spec
        self._trainings = trainings
        self._counting = counting

    def annotations_changed(self) -> None:
        """Count soon."""
        self._counting.hint()

    async def start_training(self) -> str:
        """Start one for the button, or name the run that has not finished; UserError if refused."""
        if self._spec.suspend:
            raise UserError("The backend is suspended (spec.suspend), so no training starts.")
        if not self._spec.training.triggers.button:
            raise UserError(
                "The button is switched off: set training.triggers.button to true to train by it."
            )
        refusal = untrainable(self._spec.model.task)
        if refusal is not None:
            raise UserError(refusal)
        return await self._trainings.start(Reason.BUTTON)

    async def progress(self) -> Progress | None:
        """The training that runs, if one does."""
        return await self._trainings.current()


async def train_at_threshold(
    found: Count, backend: LabelStudioBackend, trainings: Trainings, status: Status
) -> None:
    """Ask for a training when enough tasks have changed, and there are enough in all.

    Raises UserError where it cannot be asked for.
    """
    training = backend.spec.training
    status.changed_tasks, status.annotated_tasks = found.changed, found.annotated
    threshold = training.triggers.annotations
    if threshold == 0 or backend.spec.suspend or await trainings.current() is not None:
        return
    # A training on fewer would end as refused, and the next one would wait for as many again.
    if found.changed >= threshold and found.annotated >= training.minimum_annotations:
        refusal = untrainable(backend.spec.model.task)
        if refusal is not None:
            status.training_refused = Entry(message=refusal)
            return
        log.info("%d tasks were annotated since the last training: a new one is asked for", found.changed)
        await trainings.start(Reason.ANNOTATIONS)
