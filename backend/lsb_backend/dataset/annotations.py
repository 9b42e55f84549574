"""Which annotation of a task counts, and whether it is another one than last time."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Task = dict[str, Any]
Annotation = dict[str, Any]


def task_key(project: int, task: Mapping[str, Any]) -> str:
    """The name of a task among all projects: `<project>:<task>`."""
    return f"{project}:{task['id']}"


def choose(task: Mapping[str, Any]) -> Annotation | None:
    """The annotation of an exported task to learn from: ground truth first, else the one touched last.

    Skipped ones (`was_cancelled`) never count, since they may hold a half-done attempt. One without regions
    does: it says that there is nothing in the image. None if no annotation is left.
    """
    annotations = task.get("annotations")
    if not isinstance(annotations, list):
        return None
    given = [found for found in annotations if isinstance(found, dict) and not found.get("was_cancelled")]
    return max(given, key=_precedence, default=None)


def digest(annotation: Mapping[str, Any]) -> str:
    """SHA-256 of what was drawn: the same whoever saved it, when, and in whatever order."""
    drawn = [
        json.dumps({key: region.get(key) for key in ("from_name", "type", "value")}, sort_keys=True)
        for region in regions(annotation)
    ]
    return hashlib.sha256("\n".join(sorted(drawn)).encode()).hexdigest()


def task_digest(project: int, task: Mapping[str, Any]) -> tuple[str, str] | None:
    """The key of an annotated task, and its digest; None for a task that was only skipped."""
    annotation = choose(task)
    return None if annotation is None else (task_key(project, task), digest(annotation))


def digests(projects: Mapping[int, Sequence[Task]]) -> dict[str, str]:
    """The digest of each annotated task by its key; tasks that were only skipped are not in it."""
    found = (task_digest(project, task) for project, tasks in projects.items() for task in tasks)
    return dict(one for one in found if one is not None)


def changed(annotated: Mapping[str, str], learned: Mapping[str, str]) -> dict[str, str]:
    """The `annotated` digests that differ from the `learned` ones: tasks new or drawn anew, each once."""
    return {key: now for key, now in annotated.items() if learned.get(key) != now}


def regions(annotation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The regions of an annotation; relations between regions and anything malformed are no regions."""
    result = annotation.get("result")
    if not isinstance(result, list):
        return []
    return [region for region in result if isinstance(region, dict) and "from_name" in region]


def _precedence(annotation: Annotation) -> tuple[bool, float, float]:
    touched = max(_seconds(annotation.get("created_at")), _seconds(annotation.get("updated_at")))
    identifier = annotation.get("id")
    return (
        bool(annotation.get("ground_truth")),
        touched,
        identifier if isinstance(identifier, int) else 0,
    )


def _seconds(moment: object) -> float:
    """An ISO 8601 time as Unix time; what is no time counts as older than all others."""
    try:
        found = datetime.fromisoformat(str(moment))
    except ValueError:
        return float("-inf")
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
