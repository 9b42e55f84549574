"""One turn of the loop after another, with a real Label Studio and real training.

The tests of this module share one backend and run in order: each goes on from where the one before it ended.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import shapes
from label_studio import RunningLabelStudio
from label_studio_admin import LabelStudioAdmin
from serving import ServingProcess, until

ANNOTATED = 30
HELD_OUT = 8
THRESHOLD = 5


@dataclass
class Loop:
    """A project, its tasks by the number of their picture, and the backend that learns from it."""

    admin: LabelStudioAdmin
    studio: str
    backend: ServingProcess
    project: int
    tasks: dict[int, int]
    versions: list[str] = field(default_factory=list)

    @property
    def runs(self) -> list[str]:
        return sorted(path.name for path in (self.backend.store / "runs").iterdir())

    def held_out(self) -> list[int]:
        return list(self.tasks)[ANNOTATED:]

    def button(self) -> int:
        return int(until(lambda: self.admin.backends(self.project), "registered")[0]["id"])

    def annotate(self, number: int) -> int:
        return self.admin.annotate(self.tasks[number], shapes.annotation(number))

    def predicted(self, number: int, version: str) -> list[dict[str, Any]]:
        """The regions that Label Studio holds for a picture by a version, each as often as it was stored."""
        stored = self.admin.predictions(self.tasks[number])
        return [region for one in stored if one["model_version"] == version for region in one["result"]]

    def is_predicted(self, number: int, version: str) -> bool:
        """Whether Label Studio holds what a version says of a picture, be it that there is nothing in it."""
        stored = self.admin.predictions(self.tasks[number])
        return any(one["model_version"] == version for one in stored)

    def until_trained(self) -> None:
        until(lambda: self.backend.ask("/status")["training"] is None, "trained")

    def count(self) -> int | None:
        changed: int | None = self.backend.ask("/status")["changed_tasks"]
        return changed


def spec(project: int, annotations: int) -> dict[str, Any]:
    return {
        "labelStudio": {"projects": [project]},
        "model": {"task": "detect", "weights": "yolov8n.yaml", "imageSize": shapes.SIZE},
        "training": {
            "epochs": 30,
            "minimumAnnotations": 10,
            "triggers": {"button": True, "annotations": annotations},
            "arguments": shapes.TRAINING,
        },
    }


@pytest.fixture(scope="module")
def loop(
    tmp_path_factory: pytest.TempPathFactory, studio: RunningLabelStudio, admin: LabelStudioAdmin, token: str
) -> Iterator[Loop]:
    folder = tmp_path_factory.mktemp("loop")
    project = admin.create_project("loop", shapes.LABEL_CONFIG)
    numbers = range(ANNOTATED + HELD_OUT)
    tasks = dict(zip(numbers, admin.upload(project, shapes.write(folder / "pictures", numbers)), strict=True))
    # The count is switched on by the test that is about it.
    backend = ServingProcess(folder, studio.url, token, spec(project, annotations=0))
    backend.start()
    yield Loop(admin, studio.url, backend, project, tasks)
    backend.stop()


class Load:
    """Asks /setup and /predict without a pause until stopped, and keeps what went wrong."""

    def __init__(self, loop: Loop) -> None:
        number = loop.held_out()[0]
        data = {
            "id": loop.tasks[number],
            "data": loop.admin.export(loop.project)[0]["data"],
            "project": loop.project,
        }
        key = f"{loop.project}.1"
        self._setup = {"project": key, "schema": shapes.LABEL_CONFIG}
        self._predict = {"tasks": [data] * 2, "project": key, "label_config": shapes.LABEL_CONFIG}
        self._backend = loop.backend
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.wrong: list[str] = []
        self.versions: list[str] = []
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._round()
            except Exception as error:
                self.wrong.append(repr(error))

    def _round(self) -> None:
        before = self._backend.ask("/setup", self._setup)["model_version"]
        items = self._backend.ask("/predict", self._predict)["results"]
        after = self._backend.ask("/setup", self._setup)["model_version"]
        said = {item["model_version"] for item in items if item}
        self.versions += [before, after]
        # Version 0 is untrained and answers nothing at all.
        silent = not said and before != self.versions[0]
        if len(items) != 2 or len(said) > 1 or not said <= {before, after} or silent:
            self.wrong.append(f"{before} -> {items} -> {after}")


def test_an_untrained_model_proposes_nothing(loop: Loop) -> None:
    loop.button()
    loop.versions.append(str(loop.backend.version))
    task = loop.tasks[loop.held_out()[0]]
    assert loop.admin.get(f"/api/tasks/{task}?project={loop.project}")["predictions"] == []


def test_start_training_trains_once_and_the_better_model_takes_over(loop: Loop) -> None:
    button = loop.button()
    for number in list(loop.tasks)[:ANNOTATED]:
        loop.annotate(number)
    load = Load(loop)
    try:
        loop.admin.start_training(button)
        loop.admin.start_training(button)
        until(lambda: loop.backend.version != loop.versions[0], "a new version serves")
    finally:
        load.stop()
    loop.until_trained()
    loop.versions.append(str(loop.backend.version))
    assert load.wrong == []
    assert list(dict.fromkeys(load.versions)) == loop.versions
    assert loop.runs == ["after-0"]


def test_label_studio_sees_the_new_version_and_its_right_boxes(loop: Loop) -> None:
    record = until(
        lambda: [
            one for one in loop.admin.backends(loop.project) if one["model_version"] == loop.versions[1]
        ],
        "Label Studio sees the version",
    )
    assert len(record) == 1
    # Nobody asks: predictions of unlabelled tasks are refreshed after the roll-out.
    until(
        lambda: all(loop.is_predicted(number, loop.versions[1]) for number in loop.held_out()),
        "held-out tasks have predictions",
    )
    right = [
        number
        for number in loop.held_out()
        if any(
            region["value"]["rectanglelabels"] == [shapes.label(number)]
            and shapes.overlap(number, region["value"]) > 0.5
            for region in loop.predicted(number, loop.versions[1])
        )
    ]
    assert len(right) >= HELD_OUT * 3 // 4


def test_the_first_model_does_not_come_back_after_a_restart(loop: Loop) -> None:
    loop.backend.kill()
    loop.backend.start()
    assert loop.backend.version == loop.versions[1]
    assert loop.backend.ask("/versions")["versions"] == loop.versions[::-1]


def test_the_count_is_of_changed_tasks_and_survives_a_missed_webhook(loop: Loop) -> None:
    loop.backend.stop()
    loop.backend.write_manifest(loop.studio, spec(loop.project, THRESHOLD))
    loop.backend.start()
    held_out = loop.held_out()
    annotation = loop.annotate(held_out[0])
    for _ in range(10):
        loop.admin.update_annotation(annotation, shapes.annotation(held_out[1]))
    loop.admin.update_annotation(annotation, shapes.annotation(held_out[0]))
    loop.admin.annotate(loop.tasks[held_out[7]], [], was_cancelled=True)
    until(lambda: loop.count() == 1, "one task has changed")
    loop.backend.stop()
    for number in held_out[1 : THRESHOLD - 1]:
        loop.annotate(number)
    loop.backend.start()
    until(lambda: loop.count() == THRESHOLD - 1, "the tasks annotated meanwhile count")
    assert loop.runs == ["after-0"]


def test_the_annotation_at_the_threshold_starts_one_training(loop: Loop) -> None:
    loop.annotate(loop.held_out()[THRESHOLD - 1])
    request = loop.backend.store / "runs" / "after-1" / "request.json"
    # The folder is made first, and is the claim.
    until(request.exists, "a training was started")
    assert '"Annotations"' in request.read_text()
    assert loop.runs == ["after-0", "after-1"]


def test_a_stop_and_a_kill_in_the_middle_of_a_training_are_made_good(loop: Loop) -> None:
    for end in (loop.backend.stop, loop.backend.kill):
        until(lambda: (loop.backend.ask("/status")["training"] or {}).get("epoch"), "an epoch")
        end()
        loop.backend.start()
    assert "Traceback" not in loop.backend.log
    assert loop.backend.version == loop.versions[1]
    loop.until_trained()
    result = loop.backend.store / "runs" / "after-1" / "result.json"
    until(result.exists, "a result")
    assert loop.runs == ["after-0", "after-1"]
    until(lambda: loop.count() == 0, "nothing is left to learn")


def test_a_pinned_version_serves_and_unpinned_the_promoted_one(loop: Loop) -> None:
    promoted = loop.backend.version
    load = Load(loop)
    try:
        loop.backend.lsb("pin", loop.versions[1])
        until(lambda: loop.backend.version == loop.versions[1], "the pinned version serves")
        loop.backend.lsb("pin", "--none")
        until(lambda: loop.backend.version == promoted, "the promoted version serves")
    finally:
        load.stop()
    assert load.wrong == []


def test_deleting_the_project_disturbs_nobody(loop: Loop) -> None:
    served = loop.backend.version
    loop.admin.delete_project(loop.project)
    asked = loop.backend.ask("/webhook", {"action": "START_TRAINING", "project": {"id": loop.project}})
    result = loop.backend.store / "runs" / asked["job"] / "result.json"
    until(result.exists, "the training has failed with a reason")
    assert f"project {loop.project} is not in Label Studio" in result.read_text()
    assert loop.backend.version == served
