"""The queue before the model: what goes together, who is forgotten, and who pays for a failure."""

import asyncio
import math
from typing import Any

import numpy as np
import pytest

from lsb_backend.detection import Detection, Parameters
from lsb_backend.predict.engine import Engine
from lsb_backend.predict.errors import InferenceError, OverloadedError

from .conftest import Image, Model, grey, until

PARAMETERS = Parameters()


def ask(engine: Engine, model: Model, image: Image) -> asyncio.Task[list[Detection]]:
    return asyncio.create_task(engine.infer(model, image, PARAMETERS))


async def blocked(engine: Engine, model: Model) -> asyncio.Task[list[Detection]]:
    """Make the model busy with an image of grey 200 until its gate is opened."""
    model.gate.clear()
    busy = ask(engine, model, grey(200))
    await until(model.working.is_set)
    return busy


async def test_a_batch_is_what_arrived_meanwhile() -> None:
    model = Model()
    async with Engine(maximum_batch=4) as engine:
        busy = await blocked(engine, model)
        others = [ask(engine, model, grey(value)) for value in range(6)]
        await until(lambda: engine.depth == 6)
        model.gate.set()
        found = await asyncio.gather(busy, *others)
    assert [detections[0].class_index for detections in found] == [200, 0, 1, 2, 3, 4, 5]
    assert model.batches == [[200], [0, 1, 2, 3], [4, 5]]
    assert engine.statistics.images == 7
    assert engine.statistics.batches == 3
    assert engine.statistics.images_per_second > 0


async def test_an_idle_model_does_not_wait_for_a_full_batch() -> None:
    model = Model()
    async with Engine(maximum_batch=8) as engine:
        await engine.infer(model, grey(1), PARAMETERS)
    assert model.batches == [[1]]


async def test_only_images_of_one_shape_go_together_and_nobody_is_overtaken_for_ever() -> None:
    model = Model()
    async with Engine(maximum_batch=4) as engine:
        busy = await blocked(engine, model)
        images = [grey(value, width=8 if value % 2 else 10) for value in range(6)]
        others = [ask(engine, model, image) for image in images]
        await until(lambda: engine.depth == 6)
        model.gate.set()
        found = await asyncio.gather(busy, *others)
    assert [detections[0].class_index for detections in found] == [200, 0, 1, 2, 3, 4, 5]
    assert model.batches == [[200], [0, 2, 4], [1, 3, 5]]
    assert all(len(shapes) == 1 for shapes in model.shapes)


async def test_two_models_and_two_sets_of_parameters_never_share_a_batch() -> None:
    old, new = Model(), Model()
    async with Engine(maximum_batch=8) as engine:
        busy = await blocked(engine, old)
        others = [ask(engine, model, grey(value)) for value, model in enumerate((old, new, old, new))]
        others.append(asyncio.create_task(engine.infer(old, grey(4), Parameters(confidence=0.9))))
        await until(lambda: engine.depth == 5)
        old.gate.set()
        await asyncio.gather(busy, *others)
    assert old.batches == [[200], [0, 2], [4]]
    assert new.batches == [[1, 3]]


async def test_a_caller_that_left_is_not_inferred_and_nobody_hangs() -> None:
    model = Model()
    async with Engine(maximum_batch=4) as engine:
        busy = await blocked(engine, model)
        others = [ask(engine, model, grey(value)) for value in range(3)]
        await until(lambda: engine.depth == 3)
        others[1].cancel()
        busy.cancel()
        await until(lambda: busy.done() and others[1].done())
        model.gate.set()
        found = await asyncio.gather(others[0], others[2])
    assert [detections[0].class_index for detections in found] == [0, 2]
    assert model.batches == [[200], [0, 2]]


async def test_a_caller_that_leaves_during_inference_takes_nobody_along() -> None:
    model = Model()
    async with Engine(maximum_batch=4) as engine:
        busy = await blocked(engine, model)
        leaving, staying = ask(engine, model, grey(0)), ask(engine, model, grey(1))
        await until(lambda: engine.depth == 2)
        model.working.clear()
        model.gate.set()
        await busy
        await until(model.working.is_set)
        leaving.cancel()
        assert (await staying)[0].class_index == 1
    assert model.batches == [[200], [0, 1]]


async def test_one_bad_image_of_eight_fails_alone() -> None:
    model = Model()
    model.poison = 3
    async with Engine(maximum_batch=8) as engine:
        busy = await blocked(engine, model)
        others = [ask(engine, model, grey(value)) for value in range(8)]
        await until(lambda: engine.depth == 8)
        model.gate.set()
        await busy
        found = await asyncio.gather(*others, return_exceptions=True)
    assert model.batches == [[200], list(range(8)), *([value] for value in range(8))]
    for value, answer in enumerate(found):
        if value == 3:
            assert isinstance(answer, InferenceError)
            assert str(answer) == "The model failed on the image: ValueError: cannot stand 3"
        else:
            assert isinstance(answer, list)
            assert answer[0].class_index == value


async def test_a_model_that_gives_too_few_answers_has_failed() -> None:
    class Forgetful(Model):
        def predict(self, images: object, parameters: object) -> list[list[Detection]]:
            return []

    async with Engine() as engine:
        with pytest.raises(InferenceError, match="0 answers for 1 images"):
            await engine.infer(Forgetful(), grey(1), PARAMETERS)


async def test_a_model_that_answers_nonsense_does_not_stop_the_others() -> None:
    class Babbling(Model):
        def found(self, grey: int, image: Image) -> list[Any]:
            return ["nonsense"] if grey == 1 else super().found(grey, image)

    model = Babbling()
    async with Engine() as engine:
        with pytest.raises(InferenceError):
            await engine.infer(model, grey(1), PARAMETERS)
        assert (await engine.infer(model, grey(0), PARAMETERS))[0].class_index == 0


async def test_detections_that_are_no_numbers_are_dropped() -> None:
    good = Detection(0, 0.5, (0.0, 0.0, 1.0, 1.0), np.ones((3, 2), np.float32))

    class Confused(Model):
        def found(self, grey: int, image: Image) -> list[Detection]:
            hole = np.array([[0, 0], [1, math.nan], [1, 1]], np.float32)
            return [
                Detection(0, math.nan, (0.0, 0.0, 1.0, 1.0)),
                Detection(0, 0.5, (0.0, 0.0, math.inf, 1.0)),
                Detection(0, 0.5, (0.0, 0.0, 1.0, 1.0), hole),
                good,
            ]

    async with Engine() as engine:
        assert await engine.infer(Confused(), grey(1), PARAMETERS) == [good]


async def test_stopping_answers_those_who_wait_and_refuses_others() -> None:
    model = Model()
    engine = Engine(maximum_batch=1)
    await engine.start()
    busy = await blocked(engine, model)
    waiting = ask(engine, model, grey(1))
    await until(lambda: engine.depth == 1)
    stopping = asyncio.create_task(engine.stop())
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError):
        await engine.infer(model, grey(2), PARAMETERS)
    model.gate.set()
    await stopping
    assert [busy.result()[0].class_index, waiting.result()[0].class_index] == [200, 1]


async def test_a_model_is_not_closed_while_it_works() -> None:
    model = Model()
    async with Engine() as engine:
        busy = await blocked(engine, model)
        engine.retire(model)
        model.gate.set()
        await busy
    assert model.closed == 1
    assert not model.used_after_close


async def test_a_model_of_two_workers_computes_two_batches_at_a_time_and_no_third() -> None:
    model = Model()
    model.workers, model.batch = 2, 1
    model.gate.clear()
    async with Engine() as engine:
        asked = [ask(engine, model, grey(value)) for value in range(5)]
        await until(lambda: len(model.batches) == 2)
        await until(lambda: engine.depth == 3)
        engine.retire(model)
        assert model.closed == 0
        model.gate.set()
        found = await asyncio.gather(*asked)
    assert [detections[0].class_index for detections in found] == [0, 1, 2, 3, 4]
    assert sorted(model.batches) == [[0], [1], [2], [3], [4]]
