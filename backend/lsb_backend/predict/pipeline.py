"""One image on its way: fetched, decoded, and through the model."""

import asyncio
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lsb_backend.detection import Detection, Parameters
from lsb_backend.media import Media
from lsb_backend.media.decode import decode, pixels
from lsb_backend.media.limits import MEBIBYTE
from lsb_backend.predict.engine import Engine
from lsb_backend.predict.originals import PIXELS_PER_PROCESSOR, Originals
from lsb_backend.predict.sharing import Sharing
from lsb_backend.predict.slot import Served
from lsb_backend.runtime.base import Prepared, Runtime

REMEMBERED = 16 * MEBIBYTE
# What Python's objects take for one detection without an outline, and for an image without detections.
_DETECTION = 400
_IMAGE = 600


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found in an image of `width` x `height` pixels (upright)."""

    detections: list[Detection]
    width: int
    height: int


class Pipeline:
    """Looks at images; no more of them are in memory than the engine has room for."""

    def __init__(self, engine: Engine, media: Media, decoders: int) -> None:
        """`decoders`: threads that decode at a time, and with that decoded originals in memory at most."""
        self._engine = engine
        self._media = media
        self._decoders = asyncio.Semaphore(decoders)
        self._originals = Originals(decoders * PIXELS_PER_PROCESSOR)
        self._sharing = Sharing(REMEMBERED, _size)
        # One object, so that whoever reports the engine's numbers sees these.
        engine.statistics.lookups = self._sharing.outcomes

    async def look(self, served: Served, task_id: int | None, value: str, parameters: Parameters) -> Seen:
        """What the model sees in the image that a task names with `value`.

        What is known of an image is found by its content, never by its address: a file may change behind
        that. Raises MediaError or InferenceError.
        """
        async with self._engine.room:
            with self._timed("fetch"):
                data = await self._media.read(task_id, value)
            digest = await _digest(data)

            async def see() -> Seen:
                return await self._see(served.runtime, data, parameters)

            return await self._sharing.get((served.version, digest, parameters), served, see)

    async def _see(self, runtime: Runtime, data: bytes, parameters: Parameters) -> Seen:
        async with self._decoders:
            with self._timed("decode"):
                image, height, width = await asyncio.to_thread(self._prepared, runtime, data, parameters)
        return Seen(await self._engine.infer(runtime, image, parameters), width, height)

    def _prepared(self, runtime: Runtime, data: bytes, parameters: Parameters) -> tuple[Prepared, int, int]:
        """The image as the model takes it, with its own height and width; the original is not kept."""
        limits = self._media.limits
        with self._originals.hold(pixels(data, limits)):
            image = decode(data, limits)
            return runtime.prepare(image, parameters), image.shape[0], image.shape[1]

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self._engine.statistics.seconds[stage] += time.monotonic() - started


async def _digest(data: bytes) -> bytes:
    # Most files take less than another thread takes to wake up.
    computed = (
        hashlib.sha256(data) if len(data) <= MEBIBYTE else await asyncio.to_thread(hashlib.sha256, data)
    )
    return computed.digest()


def _size(seen: Seen) -> int:
    outlines = (found.polygon.nbytes for found in seen.detections if found.polygon is not None)
    return _IMAGE + _DETECTION * len(seen.detections) + sum(outlines)
