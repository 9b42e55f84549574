"""Which annotation counts, and when it counts as changed."""

import json
import math
from typing import Any

from lsb_backend.dataset.annotations import changed, choose, digest, digests
from lsb_backend.dataset.manifest import Export, ProjectExport

LATE = "2026-11-22T12:00:00+01:00"


def chosen(task: dict[str, Any]) -> int:
    annotation = choose(task)
    assert annotation is not None
    return int(annotation["id"])


def test_the_newest_annotation_counts(make: Any) -> None:
    old, new = make.annotation(id=1), make.annotation(id=2, created_at=LATE, updated_at=LATE)
    assert chosen(make.task(1, new, old)) == 2
    assert chosen(make.task(1, old, new)) == 2


def test_an_annotation_corrected_later_is_the_newest(make: Any) -> None:
    corrected = make.annotation(id=1, created_at="2026-11-22T08:00:00Z", updated_at=LATE)
    assert chosen(make.task(1, corrected, make.annotation(id=2))) == 1


def test_times_are_compared_as_times_not_as_text(make: Any) -> None:
    earlier = make.annotation(
        id=1, created_at="2026-11-22T10:30:00+02:00", updated_at="2026-11-22T10:30:00+02:00"
    )
    assert chosen(make.task(1, make.annotation(id=2), earlier)) == 2


def test_ground_truth_counts_before_anything_newer(make: Any) -> None:
    truth = make.annotation(id=1, ground_truth=True)
    assert chosen(make.task(1, make.annotation(id=2, updated_at=LATE), truth)) == 1


def test_skipped_annotations_never_count(make: Any) -> None:
    skipped = make.annotation(make.box(), id=2, was_cancelled=True, ground_truth=True, updated_at=LATE)
    assert chosen(make.task(1, make.annotation(id=1), skipped)) == 1
    assert choose(make.task(1, skipped)) is None


def test_an_empty_annotation_counts(make: Any) -> None:
    assert choose(make.task(1, make.annotation())) is not None


def test_tasks_without_usable_annotations_have_none(make: Any) -> None:
    assert choose({"id": 1}) is None
    assert choose({"id": 1, "annotations": [7]}) is None
    assert choose(make.task(1, make.annotation(created_at=None, updated_at="yesterday"))) is not None


def test_a_digest_is_of_what_was_drawn_alone(make: Any) -> None:
    first, second = make.box("ant"), make.box("zebra")
    saved = make.annotation(first, second)
    again = make.annotation(second, dict(reversed(first.items())) | {"id": "other", "origin": "manual"}, id=9)
    assert digest(saved) == digest(again | {"updated_at": LATE, "lead_time": 3})


def test_a_digest_changes_with_control_coordinates_and_labels(make: Any) -> None:
    variants = [
        make.box(), make.box("ant"), make.box(x=11.0), make.box() | {"from_name": "other"},
    ]  # fmt: skip
    assert len({digest(make.annotation(region)) for region in variants}) == 4
    assert digest(make.annotation(make.box())) != digest(make.annotation(make.box(), make.box()))


def test_new_and_updated_tasks_are_changed_and_skipped_ones_are_not(make: Any) -> None:
    tasks = [
        make.task(1, make.annotation(make.box())),
        make.task(2, make.annotation(make.box())),
        make.task(3, make.annotation(make.box(), was_cancelled=True)),
    ]
    learned = digests({7: tasks[:1]})
    assert set(changed(digests({7: tasks}), learned)) == {"7:2"}
    tasks[0]["annotations"] = [make.annotation(make.box(x=50.0))]
    assert set(changed(digests({7: tasks}), learned)) == {"7:1", "7:2"}


def test_ten_edits_of_one_task_count_once(make: Any) -> None:
    task = make.task(1, *[make.annotation(make.box(x=float(edit)), id=edit) for edit in range(10)])
    assert len(changed(digests({1: [task]}), {})) == 1


def test_the_same_task_number_in_another_project_is_another_task(make: Any) -> None:
    task = make.task(1, make.annotation(make.box()))
    assert set(changed(digests({1: [task], 2: [task]}), digests({1: [task]}))) == {"2:1"}


def test_a_frozen_export_has_the_digests_of_the_one_that_was_read(make: Any) -> None:
    tasks = [make.task(1, make.annotation(make.box(x=math.nan, y=math.inf, width=1 / 3)))]
    export = Export(projects=[ProjectExport(id=1, label_config=make.config, tasks=tasks)])
    frozen = Export.model_validate_json(export.model_dump_json())
    assert digests({1: frozen.projects[0].tasks}) == digests({1: json.loads(json.dumps(tasks))})
