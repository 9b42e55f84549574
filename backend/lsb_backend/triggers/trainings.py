"""What asks for a training and shows the one that runs, on a laptop and in a cluster alike."""

from typing import Protocol

from pydantic import BaseModel

from lsb_backend.triggers.request import Reason


class Progress(BaseModel):
    """How far the training is that runs. `attempt` counts from 1."""

    run: str
    attempt: int = 1
    phase: str = "starting"
    epoch: int | None = None
    epochs: int | None = None
    metrics: dict[str, float] = {}
    message: str = ""


class Trainings(Protocol):
    """Where trainings are asked for."""

    async def start(self, reason: Reason) -> str:
        """Ask for one; its name, the same while it has not ended. Raises UserError."""

    async def current(self) -> Progress | None:
        """The training that runs or waits, if one does."""
