"""What this backend asks of Label Studio, one method for each question."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from .connection import ASKING, PATIENT, Connection, Json
from .errors import LabelStudioError, RefusedError
from .long_list import read_list
from .records import Backend, ProjectPage, TaskPage, Webhook

EXPORT_BYTES = 1 << 30
BACKEND = TypeAdapter(Backend)
BACKENDS = TypeAdapter(list[Backend])
WEBHOOKS = TypeAdapter(list[Webhook])
TASKS = TypeAdapter(TaskPage)
PROJECTS = TypeAdapter(ProjectPage)

Record = TypeVar("Record")
Item = TypeVar("Item")


class LabelStudio(Connection):
    """One Label Studio, seen with one token: `async with LabelStudio.connect(url, token) as studio`."""

    async def check(self) -> None:
        """Raise LabelStudioError, in plain words, if the address or the token is wrong."""
        user = await self.get_json("/api/current-user/whoami")
        if not isinstance(user, dict) or "id" not in user:
            raise LabelStudioError(
                f"{self.url} answers, but not as Label Studio does: is labelStudio.url right?"
            )

    async def project(self, project: int) -> dict[str, Any]:
        """Label Studio's record of a project: `title`, `label_config`, `model_version` and so on."""
        record: dict[str, Any] = await self.get_json(f"/api/projects/{project}/")
        return record

    async def project_titles(self, maximum: int = 20) -> dict[int, str | None]:
        """The projects this token sees, newest first, at most `maximum` of them."""
        params: dict[str, str | int] = {"page_size": maximum, "include": "id,title"}
        page = await self.get_json("/api/projects/", params)
        return {project.id: project.title for project in self._parsed(PROJECTS, page).results}

    async def update_project(self, project: int, fields: Mapping[str, Json]) -> None:
        """Change some fields of a project."""
        await self.patch_json(f"/api/projects/{project}/", dict(fields))

    async def export(self, project: int, maximum_bytes: int = EXPORT_BYTES) -> list[dict[str, Any]]:
        """The tasks of a project that have an annotation, skipped ones included, as the JSON export has them.

        Calls no backend and resolves no URL. Refused when longer than `maximum_bytes`.
        """
        return await self.export_each(project, lambda task: task, maximum_bytes)

    async def export_each(
        self, project: int, look: Callable[[dict[str, Any]], Item], maximum_bytes: int = EXPORT_BYTES
    ) -> list[Item]:
        """What `look` makes of each task of `export`, called in a thread; only that is held in memory."""
        found = await self.get_json(
            f"/api/projects/{project}/export",
            {"exportType": "JSON"},
            limits=PATIENT,
            maximum_bytes=maximum_bytes,
            parse=partial(read_list, look=look),
        )
        if not isinstance(found, list):
            raise LabelStudioError(f"The export of project {project} at {self.url} is not a list of tasks.")
        return found

    def unlabelled(self, project: int, page_size: int = 100) -> AsyncIterator[list[int]]:
        """Pages of ids of tasks without an annotation, oldest first."""
        return self._pages(project, _filter("total_annotations", "equal", 0, "Number"), 0, page_size)

    async def any_predicted(self, project: int, version: str, tasks: Sequence[int]) -> bool:
        """Whether one of `tasks` (ascending ids) at least holds a prediction of a version."""
        wanted = _filter("predictions_model_versions", "contains", [version], "List")
        async for page in self._pages(project, wanted, tasks[0] - 1, 100):
            if not set(tasks).isdisjoint(page):
                return True
            if page[-1] >= tasks[-1]:
                return False
        return False

    async def _pages(
        self, project: int, wanted: dict[str, Json], last: int, page_size: int
    ) -> AsyncIterator[list[int]]:
        """Pages of ids of tasks after the task `last`, oldest first.

        Every page asks for what follows the last id, so tasks annotated meanwhile do not shift the rest.
        Tasks are listed, never opened: opening one makes Label Studio ask for a prediction.
        """
        while True:
            params: dict[str, str | int] = {
                "project": project,
                "page_size": page_size,
                "resolve_uri": "false",
                "query": json.dumps(_after(last, wanted)),
            }
            try:
                page = await self.get_json("/api/tasks", params, limits=PATIENT)
            except RefusedError as error:
                if error.status == 404 and last:  # the project was deleted meanwhile
                    return
                raise
            ids = [task.id for task in self._parsed(TASKS, page).tasks]
            if ids:
                yield ids
                last = ids[-1]
            if len(ids) < page_size:
                return

    async def retrieve_predictions(self, project: int, tasks: Sequence[int]) -> None:
        """Let Label Studio ask its backend for those of `tasks` without a prediction of the served version.

        Returns when they are stored. Label Studio reports success whatever happened.
        """
        body = {
            "selectedItems": {"all": False, "included": list(tasks)},
            "ordering": [],
            "project": str(project),
        }
        params: dict[str, str | int] = {"id": "retrieve_tasks_predictions", "project": project}
        await self.post_json("/api/dm/actions", body, params, limits=PATIENT)

    async def backends(self, project: int) -> list[Backend]:
        """The ML backends of a project by id. Label Studio calls /health and /setup of each meanwhile."""
        rows = await self.get_json("/api/ml", {"project": project}, limits=ASKING)
        backends = self._parsed(BACKENDS, rows)
        return sorted(backends, key=lambda backend: backend.id)

    async def add_backend(self, fields: Mapping[str, Json]) -> int:
        """Connect an ML backend; `fields` are Label Studio's. Returns its id."""
        row = await self.post_json("/api/ml", dict(fields), limits=ASKING)
        return self._parsed(BACKEND, row).id

    async def update_backend(self, backend: int, fields: Mapping[str, Json]) -> None:
        """Change an ML backend; `fields` must hold `url` and `project`, or Label Studio fails."""
        await self.patch_json(f"/api/ml/{backend}", dict(fields), limits=ASKING)

    async def remove_backend(self, backend: int) -> bool:
        """Remove an ML backend; whether it was still there. Its webhook stays."""
        return await self.delete(f"/api/ml/{backend}")

    async def webhooks(self, project: int | None = None) -> list[Webhook]:
        """The webhooks of a project, or of the whole organization, in the order of their ids."""
        rows = await self.get_json("/api/webhooks/", {} if project is None else {"project": project})
        webhooks = self._parsed(WEBHOOKS, rows)
        return sorted(webhooks, key=lambda webhook: webhook.id)

    async def add_webhook(self, fields: Mapping[str, Json]) -> None:
        """Make a webhook."""
        await self.post_json("/api/webhooks/", dict(fields))

    async def update_webhook(self, webhook: int, fields: Mapping[str, Json]) -> None:
        """Change a webhook; a missing `actions` empties that list."""
        await self.patch_json(f"/api/webhooks/{webhook}/", dict(fields))

    async def remove_webhook(self, webhook: int) -> bool:
        """Remove a webhook; whether it was still there."""
        return await self.delete(f"/api/webhooks/{webhook}/")

    def _parsed(self, kind: TypeAdapter[Record], answer: Json) -> Record:
        try:
            return kind.validate_python(answer)
        except ValidationError as error:
            wrong = error.errors(include_input=False)[0]
            place = ".".join(str(part) for part in wrong["loc"])
            raise LabelStudioError(f"{self.url} answers in an unknown form: {place} {wrong['msg']}") from None


def _filter(field: str, operator: str, value: Json, kind: str) -> dict[str, Json]:
    return {"filter": f"filter:tasks:{field}", "operator": operator, "value": value, "type": kind}


def _after(last: int, wanted: dict[str, Json]) -> dict[str, Json]:
    items = [wanted, _filter("id", "greater", last, "Number")]
    return {"filters": {"conjunction": "and", "items": items}, "ordering": ["tasks:id"]}
