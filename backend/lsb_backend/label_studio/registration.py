"""Puts this backend into projects, keeps it there as the manifest says, and takes it out again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from . import diagnosis
from .client import LabelStudio
from .errors import RefusedError, RegistrationError
from .records import Backend
from .wanted import BasicAuth, Wanted, ours, settled, webhook_url

Outcome = Literal["added", "updated", "unchanged", "removed", "absent"]


@dataclass(frozen=True, slots=True)
class ProjectReport:
    """What was done in one project; `note` is something a person should know."""

    project: int
    outcome: Outcome
    note: str | None = None


async def register(
    studio: LabelStudio,
    backend_url: str,
    title: str,
    projects: Sequence[int],
    basic_auth: BasicAuth | None,
    namespace: str | None = None,
) -> list[ProjectReport]:
    """Make each of `projects` use the backend at `backend_url`, once, and no other project that we managed.

    Doing it again changes nothing. Raises RegistrationError, which names the setting to change, or
    LabelStudioError.
    """
    wanted = Wanted(backend_url.rstrip("/"), title, basic_auth, namespace)
    await _refuse_unknown(studio, projects)
    reports = [await _register(studio, project, wanted) for project in dict.fromkeys(projects)]
    return reports + await _remove_from_others(studio, wanted, projects)


async def unregister(
    studio: LabelStudio, backend_url: str, title: str, projects: Sequence[int], namespace: str | None = None
) -> list[ProjectReport]:
    """Remove the backend and its webhook from `projects`, and from others that we managed.

    What is already gone is fine: a row, a webhook, or a project.
    """
    wanted = Wanted(backend_url.rstrip("/"), title, None, namespace)
    reports = [await _unregister(studio, project, wanted) for project in dict.fromkeys(projects)]
    return reports + await _remove_from_others(studio, wanted, projects)


async def _refuse_unknown(studio: LabelStudio, projects: Iterable[int]) -> None:
    for project in projects:
        try:
            await studio.project(project)
        except RefusedError as error:
            if error.status != 404 or not error.detail:
                raise
            titles = await studio.project_titles()
            known = ", ".join(f"{number} ({title})" for number, title in sorted(titles.items())) or "none"
            raise RegistrationError(
                f"labelStudio.projects names project {project}, which {studio.url} does not show to the user "
                f"of this token. Projects it shows: {known}."
            ) from None


async def _register(studio: LabelStudio, project: int, wanted: Wanted) -> ProjectReport:
    backends = await studio.backends(project)
    outcome: Outcome = "unchanged"
    added = None
    if not ours(backends, wanted):
        added = await _add(studio, project, wanted)
        outcome = "added"
        # Label Studio may just have finished an earlier try, too, whose answer nobody waited for.
        backends = await studio.backends(project)
    rows = ours(backends, wanted)
    webhooks = await studio.webhooks(project)
    if rows and rows[0].id != added and not settled(rows[0], webhooks, wanted):
        await _update(studio, rows[0].id, project, wanted)
        outcome = "updated"
    for row in rows[1:]:
        await studio.remove_backend(row.id)
        outcome = "updated"
    old = {webhook_url(row.url) for row in rows} - {wanted.webhook_url}
    changed = await _settle_webhook(studio, project, wanted, old)
    changed |= await _choose(studio, project, wanted)
    first = next((row for row in backends if row not in rows), None)
    hidden = first is not None and (not rows or first.id < rows[0].id)
    return ProjectReport(
        project,
        "updated" if changed and outcome == "unchanged" else outcome,
        _hidden(project, first) if first is not None and hidden else None,
    )


async def _add(studio: LabelStudio, project: int, wanted: Wanted) -> int:
    try:
        return await studio.add_backend(wanted.backend(project))
    except RefusedError as error:
        saved = bool(ours(await studio.backends(project), wanted))
        text = diagnosis.registration(error.status, error.detail, wanted.url, saved)
        raise RegistrationError(f"Project {project}: {text}") from error


async def _update(studio: LabelStudio, row: int, project: int, wanted: Wanted) -> None:
    try:
        await studio.update_backend(row, wanted.backend(project))
    except RefusedError as error:
        text = diagnosis.registration(error.status, error.detail, wanted.url, row_saved=False)
        raise RegistrationError(f"Project {project}: {text}") from error


async def _settle_webhook(studio: LabelStudio, project: int, wanted: Wanted, old: set[str]) -> bool:
    """Leave exactly one webhook of ours, as wanted; whether anything had to be changed.

    Label Studio makes one when a row is added, but none when its address changes, and none, without a word,
    for some host names.
    """
    webhooks = await studio.webhooks(project)
    same = [webhook for webhook in webhooks if webhook.url == wanted.webhook_url]
    surplus = [*same[1:], *(webhook for webhook in webhooks if webhook.url in old)]
    try:
        if not same:
            await studio.add_webhook({"project": project, **wanted.webhook()})
        elif same[0].model_dump(include=set(wanted.webhook())) != wanted.webhook():
            await studio.update_webhook(same[0].id, wanted.webhook())
        elif not surplus:
            return False
    except RefusedError as error:
        text = diagnosis.no_webhook(error.status, error.detail, wanted.url)
        raise RegistrationError(f"Project {project}: {text}") from error
    for webhook in surplus:
        await studio.remove_webhook(webhook.id)
    return True


async def _choose(studio: LabelStudio, project: int, wanted: Wanted) -> bool:
    """Make the labelling stream ask this backend, as Label Studio does when a row is added undisturbed.

    It does not after a refused webhook, and it forgets the choice when a second row of the same title goes.
    """
    record = await studio.project(project)
    if not record.get("show_collab_predictions") or record.get("model_version"):
        return False
    await studio.update_project(project, {"model_version": wanted.title})
    return True


async def _unregister(studio: LabelStudio, project: int, wanted: Wanted) -> ProjectReport:
    try:
        rows = ours(await studio.backends(project), wanted)
        urls = {wanted.webhook_url, *(webhook_url(row.url) for row in rows)}
        webhooks = [webhook for webhook in await studio.webhooks(project) if webhook.url in urls]
    except RefusedError as error:
        if error.status == 404 and error.detail:
            return ProjectReport(project, "absent")
        raise
    removed = [await studio.remove_backend(row.id) for row in rows]
    removed += [await studio.remove_webhook(webhook.id) for webhook in webhooks]
    return ProjectReport(project, "removed" if any(removed) else "absent")


async def _remove_from_others(
    studio: LabelStudio, wanted: Wanted, projects: Iterable[int]
) -> list[ProjectReport]:
    """Take the backend out of projects that the manifest no longer names.

    Label Studio lists ML backends by project only, but webhooks of all projects. A row without our mark was
    made by a person, so it stays.
    """
    webhooks = [webhook for webhook in await studio.webhooks() if webhook.url == wanted.webhook_url]
    others = {webhook.project for webhook in webhooks if webhook.project is not None} - set(projects)
    reports = []
    for project in sorted(others):
        rows = ours(await studio.backends(project), wanted)
        if all(row.description == wanted.mark for row in rows):
            reports.append(await _unregister(studio, project, wanted))
    return reports


def _hidden(project: int, first: Backend) -> str:
    return (
        f"Label Studio asks only the oldest ML backend of a project. In project {project} that is "
        f"{first.title!r} at {first.url}: remove it there, or it will answer in place of this one."
    )
