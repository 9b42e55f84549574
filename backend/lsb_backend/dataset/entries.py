"""The images of an export that are to be learned from, before any of them is read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lsb_backend.dataset.annotations import Annotation, choose, task_key
from lsb_backend.dataset.manifest import Export, ProjectExport, SkippedTask
from lsb_backend.labels.config import Control, parse, usable
from lsb_backend.labels.task_data import TaskDataError, image_value


@dataclass(frozen=True, slots=True)
class Entry:
    """One image of one task; `name` is the stem of its files, `address` what the task says of the image."""

    key: str
    name: str
    task_id: int
    address: str
    controls: tuple[Control, ...]
    annotation: Annotation


def entries(export: Export, task: str) -> tuple[list[Entry], list[SkippedTask]]:
    """An entry for each image of each annotated task, and the tasks that have no such image.

    Raises LabelConfigError for a project in which a model of `task` has nothing to learn.
    """
    found: list[Entry] = []
    skipped: list[SkippedTask] = []
    for project in export.projects:
        by_image = _by_image(usable(parse(project.label_config), task))
        for exported, annotation in _annotated(project):
            key = task_key(project.id, exported)
            try:
                found += _task_entries(key, exported, annotation, by_image)
            except TaskDataError as error:
                skipped.append(SkippedTask(task=key, reason=str(error)))
    return found, skipped


def _annotated(project: ProjectExport) -> Iterator[tuple[dict[str, Any], Annotation]]:
    for exported in project.tasks:
        annotation = choose(exported)
        if annotation is not None:
            yield exported, annotation


def _by_image(controls: tuple[Control, ...]) -> dict[str, tuple[Control, ...]]:
    keys = dict.fromkeys(control.data_key for control in controls)
    return {key: tuple(control for control in controls if control.data_key == key) for key in keys}


def _task_entries(
    key: str, exported: dict[str, Any], annotation: Annotation, by_image: dict[str, tuple[Control, ...]]
) -> list[Entry]:
    # Named by project and task, never after the file: equal names in different folders must not meet.
    stem = key.replace(":", "-")
    data = exported.get("data")
    return [
        Entry(
            key=key,
            name=stem if len(by_image) == 1 else f"{stem}-{number}",
            task_id=int(exported["id"]),
            address=image_value(data if isinstance(data, dict) else {}, data_key),
            controls=controls,
            annotation=annotation,
        )
        for number, (data_key, controls) in enumerate(by_image.items(), start=1)
    ]
