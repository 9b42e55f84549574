"""What Label Studio answers, as far as this backend reads it."""

from pydantic import BaseModel, ConfigDict


class Backend(BaseModel):
    """An ML backend of a project. `state` is CO when Label Studio's last /health and /setup went well."""

    model_config = ConfigDict(frozen=True)

    id: int
    url: str
    title: str | None = None
    description: str | None = None
    state: str = ""
    basic_auth_user: str | None = None
    basic_auth_pass_is_set: bool = False


class Webhook(BaseModel):
    """A webhook; without `project` it belongs to the whole organization."""

    model_config = ConfigDict(frozen=True)

    id: int
    project: int | None = None
    url: str
    send_payload: bool = True
    send_for_all_actions: bool = True
    is_active: bool = True
    actions: list[str] = []
    headers: dict[str, str] = {}


class Task(BaseModel):
    """A task, as the Data Manager lists it."""

    id: int


class TaskPage(BaseModel):
    """A page of the Data Manager."""

    tasks: list[Task]


class Project(BaseModel):
    """A project, as the list of projects shows it."""

    id: int
    title: str | None


class ProjectPage(BaseModel):
    """A page of the list of projects."""

    results: list[Project]
