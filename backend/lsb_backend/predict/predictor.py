"""From a request of Label Studio to its answer: one item for each task, whatever happens to the others."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from lsb_backend.detection import Parameters
from lsb_backend.labels.config import Control, parse, usable
from lsb_backend.labels.results import image_regions, score
from lsb_backend.labels.task_data import TaskDataError, image_value
from lsb_backend.media import Media, MediaError
from lsb_backend.predict.admission import Admission, Progress
from lsb_backend.predict.engine import Engine
from lsb_backend.predict.errors import InferenceError, OtherProjectError
from lsb_backend.predict.failures import UNEXPECTED, Failures
from lsb_backend.predict.pipeline import Pipeline, Seen
from lsb_backend.predict.request import PredictRequest, Task
from lsb_backend.predict.slot import Served, Slot
from lsb_backend.runtime.threads import cpu_quota
from lsb_crds.errors import UserError
from lsb_crds.model import Model

__all__ = ["PredictRequest", "Predictor"]

Item = dict[str, Any]
Images = Mapping[str, list[Control]]


class Predictor:
    """Answers requests with the model in `slot`; `admission` tells which are in flight."""

    def __init__(self, engine: Engine, slot: Slot, media: Media, model: Model) -> None:
        """`model`: the part of the manifest that says what the model does and what counts as a detection."""
        self.admission = Admission(engine.statistics)
        self._statistics = engine.statistics
        self._slot = slot
        self._pipeline = Pipeline(engine, media, decoders=cpu_quota())
        self._task = model.task
        self._parameters = Parameters(model.confidence, model.iou, model.image_size, model.max_detections)
        # Half of the room at most: whoever opens one task must not wait for somebody else's thousand.
        self._side_by_side = max(1, engine.maximum_waiting // 2)

    async def predict(self, request: PredictRequest) -> list[Item]:
        """One item for each task, in their order: a prediction, or `{}` for a task that failed.

        Raises LabelConfigError if the model can fill nothing in this project, OverloadedError if too much
        waits already, NoModelError if nothing serves yet.
        """
        images = by_image(usable(parse(request.label_config), self._task))
        with self.admission.enter(len(request.tasks)) as progress, self._slot.hold() as served:
            if not served.card.trained:
                # Weights that nobody trained would propose noise; nothing stored means asked again later.
                self._statistics.outcomes["untrained"] += len(request.tasks)
                return [{} for _ in request.tasks]
            return await self._answer_all(request, images, served, progress)

    async def _answer_all(
        self, request: PredictRequest, images: Images, served: Served, progress: Progress
    ) -> list[Item]:
        items: list[Item] = [{} for _ in request.tasks]
        failures = Failures()
        remaining = iter(enumerate(request.tasks))

        async def answer_in_turn() -> None:
            for position, task in remaining:
                items[position] = await self._answer_or_note(request, task, images, served, failures)
                progress.done += 1
                # A task that fails at once waits for nothing; thousands of them would keep others waiting.
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._side_by_side, len(request.tasks))):
                group.create_task(answer_in_turn())
        failures.summarize(len(items))
        return items

    async def _answer_or_note(
        self, request: PredictRequest, task: Task, images: Images, served: Served, failures: Failures
    ) -> Item:
        try:
            item = await self._answer(request, task, images, served)
        except Exception as error:
            reason = outcome(error)
            failures.note(task.id, error, reason)
            self._statistics.outcomes[reason] += 1
            return {}
        self._statistics.outcomes["predicted"] += 1
        return item

    async def _answer(self, request: PredictRequest, task: Task, images: Images, served: Served) -> Item:
        _check_project(request, task)
        regions: list[dict[str, Any]] = []
        for value, controls in present(task, images):
            seen = await self._pipeline.look(served, task.id, value, self._parameters)
            regions += await _regions(seen, controls, served.names)
        return {"model_version": served.version, "score": score(regions), "result": regions}


async def _regions(seen: Seen, controls: list[Control], names: Sequence[str]) -> list[dict[str, Any]]:
    arguments = seen.detections, controls, names, seen.width, seen.height
    if any(detection.polygon is not None for detection in seen.detections):
        # Outlines of hundreds of objects take a while, and the event loop has callers with time limits.
        return await asyncio.to_thread(image_regions, *arguments)
    return image_regions(*arguments)


def by_image(controls: tuple[Control, ...]) -> Images:
    """The controls on each image, by the key of the task's data that holds the image."""
    ordered = sorted(controls, key=lambda control: control.data_key)
    return {key: list(group) for key, group in groupby(ordered, key=lambda control: control.data_key)}


def present(task: Task, images: Images) -> list[tuple[str, list[Control]]]:
    """The images that a task has, with the controls on each; raises TaskDataError if it has none of them."""
    found: list[tuple[str, list[Control]]] = []
    missing: list[TaskDataError] = []
    for key, controls in images.items():
        try:
            found.append((image_value(task.data, key), controls))
        except TaskDataError as error:
            missing.append(error)
    if missing and not found:
        raise missing[0]
    return found


def outcome(error: Exception) -> str:
    """The word under which a task's failure is counted."""
    match error:
        case MediaError():
            return error.reason
        case TaskDataError():
            return "no_data"
        case OtherProjectError():
            return "other_project"
        case InferenceError():
            return "inference"
        case UserError():
            return "refused"
    return UNEXPECTED


def _check_project(request: PredictRequest, task: Task) -> None:
    asked = request.project_id
    if asked is not None and task.project is not None and task.project != asked:
        raise OtherProjectError(
            f"it is in project {task.project}, and the label config of project {asked} came with it."
        )
