"""What the routes work with, made once by whoever starts the server."""

from dataclasses import dataclass, field
from typing import Protocol

from lsb_backend.predict.engine import Engine
from lsb_backend.predict.predictor import Predictor
from lsb_backend.predict.slot import Served, Slot
from lsb_backend.serve.errors import NotReadyError
from lsb_backend.serve.keepalive import Pace
from lsb_backend.serve.metrics import Metrics
from lsb_backend.serve.status import Status
from lsb_backend.store.store import Store
from lsb_backend.triggers.trainings import Progress


class Triggers(Protocol):
    """What a webhook may set off."""

    def annotations_changed(self) -> None:
        """Count the annotations soon; returns at once."""

    async def start_training(self) -> str:
        """Ask for a training and return the name of its run; raises UserError where that is refused."""

    async def progress(self) -> Progress | None:
        """The training that runs, if one does."""


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one server. `name` and `task` are those of the manifest."""

    name: str
    task: str
    slot: Slot
    engine: Engine
    predictor: Predictor
    store: Store
    triggers: Triggers
    status: Status
    metrics: Metrics
    pace: Pace = field(default_factory=Pace)

    def served(self) -> Served:
        """The model that serves; raises NotReadyError while there is none."""
        served = self.slot.current
        if served is None:
            wrong = self.status.store or self.status.swap_failed
            why = wrong.message if wrong else self.status.preparing or "loading"
            raise NotReadyError(f"No model is loaded yet: {why}. Ask again soon.")
        return served
