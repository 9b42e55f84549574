"""Takes the annotated tasks out of Label Studio once, so that a run learns from the same ones to its end."""

from collections.abc import Sequence
from pathlib import Path

from lsb_backend.dataset.annotations import choose
from lsb_backend.dataset.manifest import Export, ProjectExport
from lsb_backend.label_studio.client import LabelStudio
from lsb_backend.label_studio.errors import RefusedError
from lsb_backend.store.atomic import read_or_none, write_atomic
from lsb_backend.training.errors import DataError, TooFewAnnotationsError

EXPORT = "export.json"


async def frozen_export(studio: LabelStudio, projects: Sequence[int], backend_url: str, run: Path) -> Export:
    """The run's export, made now if the run has none. Without `projects`, those that are connected to us.

    Raises LabelStudioError if Label Studio cannot be read, after several attempts, and DataError without
    any project or for one that is not there.
    """
    frozen = read_or_none(run / EXPORT)
    if frozen is not None:
        return Export.model_validate_json(frozen)
    chosen = projects or await connected_projects(studio, backend_url)
    if not chosen:
        raise DataError(
            f"no project to learn from: none is listed in labelStudio.projects, and none at {studio.url} "
            f"is connected to {backend_url}: list one or connect one"
        )
    export = Export(projects=[await _project(studio, project) for project in chosen])
    write_atomic(run / EXPORT, export.model_dump_json().encode())
    return export


async def connected_projects(studio: LabelStudio, backend_url: str) -> list[int]:
    """The projects in which somebody has connected this backend by hand."""
    ours = backend_url.rstrip("/")
    # One question for the whole organization: Label Studio makes a webhook for every ML backend. It leaves
    # the webhook behind when the backend is removed, hence the second look.
    hooks = await studio.webhooks()
    candidates = sorted({hook.project for hook in hooks if hook.project and hook.url.startswith(ours)})
    return [
        project
        for project in candidates
        if any(backend.url.rstrip("/") == ours for backend in await studio.backends(project))
    ]


def require_annotations(export: Export, minimum: int) -> int:
    """The number of annotated tasks. Raises TooFewAnnotationsError below `minimum`."""
    count = sum(choose(task) is not None for project in export.projects for task in project.tasks)
    if count < minimum:
        names = ", ".join(str(project.id) for project in export.projects)
        raise TooFewAnnotationsError(
            f"too few annotated tasks: {count} in project {names}, and training.minimumAnnotations asks for "
            f"{minimum}: annotate {minimum - count} more, or lower it (skipped tasks do not count)"
        )
    return count


async def _project(studio: LabelStudio, project: int) -> ProjectExport:
    try:
        record = await studio.project(project)
    except RefusedError as error:
        # Without words of Label Studio's own it is something else that listens there.
        if error.status != 404 or not error.detail:
            raise
        raise DataError(
            f"project {project} is not in Label Studio at {studio.url}, or the token's user may not see it: "
            "take it out of labelStudio.projects"
        ) from error
    return ProjectExport(
        id=project, label_config=str(record["label_config"]), tasks=await studio.export(project)
    )
