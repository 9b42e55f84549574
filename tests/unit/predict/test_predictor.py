"""Requests with good and bad tasks, through real HTTP, real decoding and a model that tests can steer."""

import asyncio
import json
import logging
import threading
import weakref
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from lsb_backend.detection import Detection, Parameters
from lsb_backend.labels.config import LabelConfigError
from lsb_backend.media import Media
from lsb_backend.predict.engine import Engine
from lsb_backend.predict.errors import NoModelError, OverloadedError
from lsb_backend.predict.failures import SHOWN
from lsb_backend.predict.predictor import Predictor
from lsb_backend.predict.request import PredictRequest
from lsb_backend.predict.slot import Slot
from lsb_backend.runtime.threads import cpu_quota
from lsb_crds.model import Model as ModelSpec

from .conftest import Image, Model, Pictures, grey, png, served, until

BOXES = """<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">
<Label value="cat"/><Label value="dog"/></RectangleLabels></View>"""
TWO_IMAGES = """<View><Image name="left" value="$left"/><Image name="right" value="$right"/>
<RectangleLabels name="a" toName="left"><Label value="cat"/></RectangleLabels>
<RectangleLabels name="b" toName="right"><Label value="cat"/><Label value="dog"/></RectangleLabels></View>"""
TEXT = (
    """<View><Text name="t" value="$t"/><Choices name="c" toName="t"><Choice value="x"/></Choices></View>"""
)
ROOM = 8


@dataclass
class Backend:
    """The parts of a backend under test."""

    engine: Engine
    slot: Slot
    predictor: Predictor


@pytest.fixture
async def backend(media: Media) -> AsyncIterator[Backend]:
    async with Engine(maximum_batch=4, maximum_waiting=ROOM) as engine:
        slot = Slot(engine.retire)
        yield Backend(engine, slot, Predictor(engine, slot, media, ModelSpec(task="detect")))


def upload(name: object) -> dict[str, str]:
    return {"image": f"/data/upload/1/{name}.png"}


def request(*data: dict[str, Any], config: str = BOXES, **fields: Any) -> PredictRequest:
    tasks = [{"id": number, "project": 1, "data": values} for number, values in enumerate(data, 1)]
    body = {"tasks": tasks, "project": "1.1795338164", "label_config": config, **fields}
    return PredictRequest.model_validate(body)


def labels(item: dict[str, Any]) -> list[str]:
    return [region["value"]["rectanglelabels"][0] for region in item["result"]]


def asking(backend: Backend, asked: PredictRequest) -> asyncio.Task[list[dict[str, Any]]]:
    return asyncio.create_task(backend.predictor.predict(asked))


async def test_each_task_gets_its_own_prediction_in_order(backend: Backend) -> None:
    backend.slot.swap(served(Model(score=0.75)))
    items = await backend.predictor.predict(request(*(upload(task % 2) for task in range(9))))
    assert [labels(item) for item in items] == [["dog" if task % 2 else "cat"] for task in range(9)]
    assert {item["model_version"] for item in items} == {"1-00000001"}
    assert {item["score"] for item in items} == {0.75}
    region = items[0]["result"][0]
    assert (region["original_width"], region["original_height"]) == (8, 6)
    assert {name: region["value"][name] for name in ("x", "y", "width", "height")} == {
        "x": 0,
        "y": 0,
        "width": 50,
        "height": 50,
    }
    json.dumps(items, allow_nan=False)


async def test_a_task_that_fails_costs_no_other_its_answer(
    backend: Backend, pictures: Pictures, caplog: pytest.LogCaptureFixture
) -> None:
    model = Model()
    model.poison = 66
    backend.slot.swap(served(model))
    pictures.files |= {"empty.png": b"", "text.png": b"<html>", "half.png": png(grey(1, 80, 60))[:90]}
    asked = request(
        upload(0),
        upload("gone"),
        upload("empty"),
        upload("text"),
        upload("half"),
        upload(66),
        {"picture": "/data/upload/1/1.png"},
        {"image": None},
        {"image": "http://elsewhere.example/a.png"},
        upload(1),
    )
    with caplog.at_level(logging.WARNING, "lsb_backend.predict"):
        items = await backend.predictor.predict(asked)
    assert [position for position, item in enumerate(items) if item] == [0, 9]
    assert labels(items[9]) == ["dog"]
    assert backend.engine.statistics.outcomes == {
        "predicted": 2,
        "missing": 1,
        "not_an_image": 3,
        "inference": 1,
        "no_data": 2,
        "forbidden_host": 1,
    }
    ours = [record for record in caplog.records if record.name.startswith("lsb_backend.")]
    *messages, summary = [record.getMessage() for record in ours]
    assert len({message.split(" is not predicted")[0] for message in messages}) == SHOWN
    assert summary.startswith("8 of 10 tasks of a request are not predicted: not_an_image 3, no_data 2, ")
    assert not any("\n" in message or "Traceback" in message for message in messages)
    assert not any(record.exc_info for record in caplog.records)


async def test_a_task_of_another_project_is_not_predicted_with_this_label_config(backend: Backend) -> None:
    backend.slot.swap(served(Model()))
    body = request(upload(0), upload(0), upload(0)).model_dump()
    body["tasks"][1]["project"] = 2
    body["tasks"][2]["project"] = None
    items = await backend.predictor.predict(PredictRequest.model_validate(body))
    assert [bool(item) for item in items] == [True, False, True]
    assert backend.engine.statistics.outcomes["other_project"] == 1


async def test_something_unforeseen_costs_one_task_only(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Model):
        def found(self, grey: int, image: Any) -> list[Any]:
            return [Detection(0, 0.5, (1.0,))] if grey else super().found(grey, image)  # type: ignore[arg-type]

    backend.slot.swap(served(Broken()))
    items = await backend.predictor.predict(request(upload(0), upload(1), upload(0)))
    assert [bool(item) for item in items] == [True, False, True]
    assert [record.getMessage() for record in caplog.records] == [
        "Task 2 is not predicted, for a reason that nobody foresaw"
    ]


async def test_thousands_of_failures_are_counted_and_few_are_logged(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.slot.swap(served(Model()))
    assert await backend.predictor.predict(request(*({} for _ in range(3000)))) == [{}] * 3000
    assert backend.engine.statistics.outcomes == {"no_data": 3000}
    assert len(caplog.records) == SHOWN + 1


async def test_others_get_their_turn_among_tasks_that_fail_at_once(backend: Backend) -> None:
    backend.slot.swap(served(Model()))
    bulk = asking(backend, request(*({} for _ in range(3000))))
    await until(lambda: bool(backend.predictor.admission.running))
    (progress,) = backend.predictor.admission.running
    await asyncio.sleep(0)
    assert progress.done < 3000
    await bulk


async def test_one_picture_is_looked_at_once_by_each_version(backend: Backend, pictures: Pictures) -> None:
    old, new = Model(score=0.25), Model(score=0.75)
    backend.slot.swap(served(old))
    old.gate.clear()
    asked = [asking(backend, request(upload(0), upload(0))) for _ in range(3)]
    await until(lambda: backend.engine.statistics.lookups.total() == 6)
    old.gate.set()
    await asyncio.gather(*asked)
    assert old.batches == [[0]]
    assert backend.engine.statistics.lookups == {"computed": 1, "joined": 5}
    backend.slot.swap(served(new, "2-00000002"))
    (item,) = await backend.predictor.predict(request(upload(0)))
    assert (item["score"], item["model_version"], new.batches) == (0.75, "2-00000002", [[0]])


async def test_a_picture_that_changed_at_its_address_is_looked_at_anew(
    backend: Backend, pictures: Pictures
) -> None:
    backend.slot.swap(served(Model()))
    for value, label in ((0, "cat"), (1, "dog"), (0, "cat")):
        pictures.files["same.png"] = png(grey(value))
        (item,) = await backend.predictor.predict(request(upload("same")))
        assert labels(item) == [label]
    assert backend.engine.statistics.lookups == {"computed": 2, "remembered": 1}


async def test_a_task_may_have_several_images(backend: Backend) -> None:
    backend.slot.swap(served(Model()))
    both = {"left": "/data/upload/1/0.png", "right": "/data/upload/1/1.png"}
    items = await backend.predictor.predict(
        request(
            both, {"right": both["right"]}, {}, {**both, "left": "/data/upload/1/x.png"}, config=TWO_IMAGES
        )
    )
    assert [(region["from_name"], region["to_name"]) for region in items[0]["result"]] == [
        ("a", "left"),
        ("b", "right"),
    ]
    assert [region["from_name"] for region in items[1]["result"]] == ["b"]
    assert items[2:] == [{}, {}]


async def test_an_untrained_model_proposes_nothing_and_reads_nothing(
    backend: Backend, pictures: Pictures
) -> None:
    backend.slot.swap(served(Model(), trained=False))
    assert await backend.predictor.predict(request(upload(0), upload(1))) == [{}, {}]
    assert pictures.asked == []
    assert backend.engine.statistics.outcomes == {"untrained": 2}


async def test_an_empty_request_is_answered(backend: Backend) -> None:
    backend.slot.swap(served(Model()))
    assert await backend.predictor.predict(request()) == []


async def test_a_label_config_with_nothing_to_fill_is_refused(backend: Backend) -> None:
    backend.slot.swap(served(Model()))
    with pytest.raises(LabelConfigError):
        await backend.predictor.predict(request(upload(0), config=TEXT))


async def test_without_a_model_nothing_is_predicted(backend: Backend) -> None:
    with pytest.raises(NoModelError):
        await backend.predictor.predict(request(upload(0)))


async def test_a_thousand_tasks_hold_no_more_images_than_there_is_room_for(
    backend: Backend, pictures: Pictures
) -> None:
    backend.slot.swap(served(Model()))
    most = 0

    def watch() -> None:
        nonlocal most
        most = max(most, len(pictures.asked) - backend.engine.statistics.images)

    pictures.watch = watch
    thousand = request(*(upload(f"{task % 2}-{task}") for task in range(1000)))
    small = [request(*(upload(f"1-{one}x{task}") for task in range(40))) for one in range(5)]
    answers = await asyncio.gather(*(backend.predictor.predict(one) for one in (thousand, *small)))
    assert [labels(item) for item in answers[0]] == [["dog" if task % 2 else "cat"] for task in range(1000)]
    assert all(item for answer in answers for item in answer)
    assert most == ROOM


async def test_the_room_bounds_what_is_read_while_the_model_is_busy(
    backend: Backend, pictures: Pictures
) -> None:
    model = Model()
    model.gate.clear()
    backend.slot.swap(served(model))
    asked = [request(*(upload(f"{task % 2}-{one}x{task}") for task in range(50))) for one in range(3)]
    answers = [asking(backend, one) for one in asked]
    await until(lambda: len(model.batches) == 1 and backend.engine.depth == ROOM - len(model.batches[0]))
    assert len(pictures.asked) == ROOM
    assert backend.predictor.admission.waiting == 150
    model.gate.set()
    assert all(item for answer in await asyncio.gather(*answers) for item in answer)
    assert backend.predictor.admission.running == ()


async def test_one_task_does_not_wait_for_somebody_elses_thousand(backend: Backend) -> None:
    backend.slot.swap(served(Model()))
    bulk = asking(backend, request(*(upload(f"0-{task}") for task in range(500))))
    await until(lambda: backend.engine.statistics.images > 0)
    assert (await backend.predictor.predict(request(upload(1))))[0]
    (progress,) = backend.predictor.admission.running
    assert 0 < progress.done < 250
    assert progress.total == 500
    await bulk


async def test_a_caller_that_leaves_frees_its_room_and_its_model(backend: Backend) -> None:
    old, new = Model(), Model()
    old.gate.clear()
    backend.slot.swap(served(old))
    leaving = asking(backend, request(*(upload(0) for _ in range(50))))
    await until(old.working.is_set)
    backend.slot.swap(served(new, "2-00000002"))
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    old.gate.set()
    items = await backend.predictor.predict(request(*(upload(1) for _ in range(20))))
    assert {item["model_version"] for item in items} == {"2-00000002"}
    assert (old.closed, old.used_after_close) == (1, False)
    assert sum(len(batch) for batch in old.batches) <= ROOM


async def test_too_many_requests_are_told_to_come_back(backend: Backend) -> None:
    model = Model()
    model.gate.clear()
    backend.slot.swap(served(model))
    waiting = [asking(backend, request(upload(0))) for _ in range(64)]
    await until(model.working.is_set)
    with pytest.raises(OverloadedError) as refusal:
        await backend.predictor.predict(request(upload(0)))
    assert refusal.value.retry_after >= 1
    model.gate.set()
    assert all(item for answer in await asyncio.gather(*waiting) for item in answer)


async def test_a_swap_under_load_mixes_no_answer_and_fails_none(backend: Backend) -> None:
    """The score of each region is that of the model that computed it, so versions cannot be confused."""
    models = [Model(score=number / 10) for number in range(1, 6)]
    versions = {f"{number}-0000000{number}": number / 10 for number in range(1, 6)}
    backend.slot.swap(served(models[0]))
    answers: list[list[dict[str, Any]]] = []
    swapping = True

    async def keep_asking() -> None:
        while swapping:
            answers.append(
                await backend.predictor.predict(request(*(upload(f"{task % 2}-{task}") for task in range(7))))
            )

    async def more_answers(count: int) -> None:
        enough = len(answers) + count
        await until(lambda: len(answers) >= enough)

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(keep_asking())
        for model, version in list(zip(models, versions, strict=True))[1:]:
            await more_answers(6)
            backend.slot.swap(served(model, version))
        await more_answers(8)
        swapping = False

    for items in answers:
        (version,) = {item["model_version"] for item in items}
        assert {region["score"] for item in items for region in item["result"]} == {versions[version]}
        assert len(items) == 7
    assert {items[0]["model_version"] for items in answers} == set(versions)
    await backend.engine.stop()
    assert [model.closed for model in models] == [1, 1, 1, 1, 0]
    assert not any(model.used_after_close for model in models)


async def test_no_more_originals_are_decoded_at_a_time_than_there_are_processors(backend: Backend) -> None:
    alive, most, lock = 0, 0, threading.Lock()

    def gone() -> None:
        nonlocal alive
        with lock:
            alive -= 1

    class Counting(Model):
        def prepare(self, image: Image, parameters: Parameters) -> Image:
            nonlocal alive, most
            with lock:
                alive += 1
                most = max(most, alive)
            weakref.finalize(image, gone)
            # As a model keeps a small copy, and lets go of what was decoded.
            return image[:1, :1].copy()

    backend.slot.swap(served(Counting()))
    items = await backend.predictor.predict(request(*(upload(f"1-{task}") for task in range(300))))
    assert all(items)
    assert 1 <= most <= cpu_quota()
    assert alive == 0
