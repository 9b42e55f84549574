"""What `/status` and the page tell about the running server; the parts write here what happens to them."""

import logging
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from lsb_backend.labels.shorten import first_of, shortened

log = logging.getLogger(__name__)
PROJECTS_KEPT = 50
NAMES_KEPT = 20
LONGEST_MESSAGE = 500
Value = TypeVar("Value")


class Entry(BaseModel):
    """A sentence about something that happened."""

    at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    message: Annotated[str, AfterValidator(lambda text: shortened(text, LONGEST_MESSAGE))]


class Unmatched(BaseModel):
    """What is left over when the labels of a project and the classes of the model are compared."""

    labels: Annotated[list[str], AfterValidator(lambda names: first_of(names, NAMES_KEPT))]
    classes: Annotated[list[str], AfterValidator(lambda names: first_of(names, NAMES_KEPT))]


class Refreshing(BaseModel):
    """How far the refreshing of unlabelled tasks' predictions is; counts are tasks."""

    version: str
    asked: int = 0
    finished: bool = False
    message: str = ""


class Status(BaseModel):
    """The parts of `/status` that somebody has to remember. Written on the event loop only."""

    model_config = ConfigDict(validate_assignment=True)

    started_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    preparing: str | None = Field(default="starting", description="what is awaited before version 0 serves")
    target: str | None = Field(default=None, description="the version that should serve")
    store: Entry | None = Field(default=None, description="why the store cannot say what should serve")
    swap_failed: Entry | None = Field(default=None, description="why the target could not be loaded")
    label_studio: Entry | None = Field(
        default=None, description="what is wrong with Label Studio or the token"
    )
    registration: Entry | None = None
    refreshing: Refreshing | None = None
    redis: Entry | None = Field(default=None, description="why replicas do not share what they count")
    cluster: Entry | None = Field(default=None, description="why trainings cannot be seen")
    annotated_tasks: int | None = None
    changed_tasks: int | None = Field(default=None, description="annotated since the last training")
    last_training: str | None = None
    training_refused: Entry | None = Field(default=None, description="why a training was not started")
    setup_refusals: OrderedDict[str, Entry] = Field(
        default_factory=OrderedDict, description="label configs refused at /setup, by project"
    )

    unmatched: OrderedDict[str, Unmatched] = Field(default_factory=OrderedDict, description="by project")

    def note_unmatched(self, project: str, labels: list[str], classes: list[str]) -> None:
        """Remember which labels and classes mean nothing to the other side; said in the log once."""
        found = Unmatched(labels=labels, classes=classes)
        if self.unmatched.get(project) == found:
            return
        _remember(self.unmatched, project, found)
        if labels:
            log.warning("Project %s: the model knows nothing called %s", project, ", ".join(found.labels))

    def refuse_setup(self, project: str, message: str) -> None:
        """Remember why a label config was refused; Label Studio shows its user the HTTP status only."""
        _remember(self.setup_refusals, project, Entry(message=message))

    def accept_setup(self, project: str) -> None:
        """Forget an earlier refusal."""
        self.setup_refusals.pop(project, None)


def _remember(kept: OrderedDict[str, Value], project: str, value: Value) -> None:
    """Keep the newest only: whoever reaches the port can make up projects without end."""
    kept.pop(project, None)
    kept[project] = value
    while len(kept) > PROJECTS_KEPT:
        kept.popitem(last=False)
