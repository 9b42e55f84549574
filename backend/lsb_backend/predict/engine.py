"""The queue before the model, and the threads in which models compute."""

import asyncio
import logging
import math
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import numpy as np

from lsb_backend.detection import Detection, Parameters
from lsb_backend.predict.errors import InferenceError, OverloadedError
from lsb_backend.predict.statistics import Statistics
from lsb_backend.runtime.base import Prepared, Runtime
from lsb_backend.runtime.threads import cpu_quota

log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Item:
    """An image that waits for its detections."""

    runtime: Runtime
    image: Prepared
    parameters: Parameters
    answer: asyncio.Future[list[Detection]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def fits(self, other: "_Item") -> bool:
        """Whether both can be in one batch: images of one shape, so that none has to be padded."""
        return (
            self.runtime is other.runtime
            and self.image.shape == other.image.shape
            and self.parameters == other.parameters
        )


class Engine:
    """Runs models on images, in batches, in threads of its own. An asynchronous context manager.

    Hold `room` for as long as you own an image: it has `maximum_waiting` places for the whole process, and
    that is what bounds both the queue and the memory. A batch is what has arrived while the model was busy;
    an idle model starts on the first image at once, and its `workers` compute side by side.
    """

    def __init__(self, maximum_batch: int = 4, maximum_waiting: int = 16) -> None:
        self.maximum_waiting = maximum_waiting
        self.room = asyncio.Semaphore(maximum_waiting)
        self.statistics = Statistics()
        self._maximum_batch = maximum_batch
        self._waiting: list[_Item] = []
        self._arrived = asyncio.Event()
        self._stopping = False
        # One more than compute: it reads what was found, or closes a model, meanwhile.
        self._threads = ThreadPoolExecutor(cpu_quota() + 1, thread_name_prefix="model")
        self._worker: asyncio.Task[None] | None = None
        self._computing: Counter[Runtime] = Counter()
        self._batches: set[asyncio.Task[None]] = set()
        self._retired: set[Runtime] = set()

    @property
    def depth(self) -> int:
        """Images that wait for the model."""
        return len(self._waiting)

    async def start(self) -> None:
        """Begin to take images from the queue."""
        self._worker = asyncio.create_task(self._work(), name="model")

    async def stop(self) -> None:
        """Refuse new images, answer those that wait, and end the thread."""
        self._stopping = True
        self._arrived.set()
        if self._worker is not None:
            await self._worker
        await asyncio.gather(*self._batches)
        await asyncio.to_thread(self._threads.shutdown)

    async def infer(self, runtime: Runtime, image: Prepared, parameters: Parameters) -> list[Detection]:
        """What `runtime` finds in an image that it has prepared; only finite detections.

        Raises InferenceError if the model fails on this image, even alone. A caller that is cancelled leaves
        the queue, and nobody else notices.
        """
        if self._stopping:
            raise OverloadedError("The backend is stopping. Ask again when it is back.", retry_after=5)
        item = _Item(runtime, image, parameters)
        self._waiting.append(item)
        self._arrived.set()
        return await item.answer

    def retire(self, runtime: Runtime) -> None:
        """Close a model that nobody will use again, in a thread and never while it infers."""
        if self._computing[runtime]:
            self._retired.add(runtime)
        else:
            self._threads.submit(runtime.close).add_done_callback(_log_failure)

    async def _work(self) -> None:
        while self._waiting or not self._stopping:
            batch = self._next_batch()
            if batch:
                self._begin(batch)
            elif self._waiting or not self._stopping:
                self._arrived.clear()
                await self._arrived.wait()

    def _next_batch(self) -> list[_Item]:
        """The oldest image whose model is free, and those that fit it; callers that left are forgotten."""
        self._waiting = [item for item in self._waiting if not item.answer.done()]
        first = next((item for item in self._waiting if self._is_free(item.runtime)), None)
        if first is None:
            return []
        most = min(self._maximum_batch, first.runtime.batch)
        batch = [item for item in self._waiting if item.fits(first)][:most]
        self._waiting = [item for item in self._waiting if item not in batch]
        return batch

    def _is_free(self, runtime: Runtime) -> bool:
        return self._computing[runtime] < runtime.workers

    def _begin(self, batch: list[_Item]) -> None:
        runtime = batch[0].runtime
        self._computing[runtime] += 1
        task = asyncio.create_task(self._run(batch))
        self._batches.add(task)

        def end(task: asyncio.Task[None]) -> None:
            self._batches.discard(task)
            self._computing[runtime] -= 1
            if not self._computing[runtime]:
                del self._computing[runtime]
                if runtime in self._retired:
                    self._retired.discard(runtime)
                    self.retire(runtime)
            self._arrived.set()

        task.add_done_callback(end)

    async def _run(self, batch: list[_Item]) -> None:
        try:
            found = await self._predict(batch)
        except Exception as error:
            log.debug("The model failed on a batch of %d", len(batch), exc_info=error)
            await self._fail(batch, error)
            return
        for item, detections in zip(batch, found, strict=True):
            if not item.answer.done():
                item.answer.set_result(detections)

    async def _fail(self, batch: list[_Item], error: Exception) -> None:
        """Try each image alone: one that the model cannot stand must not cost the others their answers."""
        for item in batch:
            if item.answer.done():
                continue
            if len(batch) > 1:
                await self._run([item])
            else:
                message = f"The model failed on the image: {type(error).__name__}: {error}"
                item.answer.set_exception(InferenceError(" ".join(message.split())[:300]))

    async def _predict(self, batch: list[_Item]) -> list[list[Detection]]:
        images, first = [item.image for item in batch], batch[0]
        started = time.monotonic()
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, first.runtime.predict, images, first.parameters
        )
        self.statistics.batch(len(batch), time.monotonic() - started)
        if len(found) != len(batch):
            raise InferenceError(f"{len(found)} answers for {len(batch)} images")
        return [[detection for detection in detections if _is_finite(detection)] for detections in found]

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def _is_finite(detection: Detection) -> bool:
    """JSON has no word for NaN, and Label Studio none for a box at infinity."""
    outline_is_finite = detection.polygon is None or bool(np.isfinite(detection.polygon).all())
    return outline_is_finite and all(math.isfinite(number) for number in (detection.score, *detection.box))


def _log_failure(closed: Future[None]) -> None:
    if error := closed.exception():
        log.warning("An old model could not be closed: %s", error)
