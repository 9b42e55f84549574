"""The body of /predict, as much of it as is used."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

MOST_TASKS = 100_000
LONGEST_NUMBER = 18

Number = Annotated[int, Field(lt=10**LONGEST_NUMBER)]


class _Lenient(BaseModel):
    # Label Studio sends two dozen fields more, and others with each release.
    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)


class Task(_Lenient):
    """A task with its stored data, in which no address is resolved."""

    id: Number | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    project: Number | None = None


class Context(_Lenient):
    """What comes beside the tasks; `context` is there only when somebody draws with a smart tool."""

    context: Any = None


class PredictRequest(_Lenient):
    """Tasks of one project, in the order in which they must be answered, and that project's label config."""

    tasks: tuple[Task, ...] = Field(max_length=MOST_TASKS)
    label_config: str
    project: str | None = Field(default=None, description="<project id>.<Unix time of its creation>")
    params: Context | None = None

    @property
    def interactive(self) -> bool:
        """Whether somebody waits at a smart tool; then the one item must be an object with a `result`."""
        return self.params is not None and self.params.context is not None

    @property
    def project_id(self) -> int | None:
        """The number of the project, None if it is not told."""
        return project_number(self.project)


def project_number(key: str | None) -> int | None:
    """The number in "<project id>.<Unix time>", None for anything else that somebody sends."""
    number = (key or "").partition(".")[0]
    usable = number.isascii() and number.isdigit() and len(number) <= LONGEST_NUMBER
    return int(number) if usable else None
