"""A model that does what a test wants, and a server of pictures in the place of Label Studio."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
import stamina
from aiohttp import web
from aiohttp.test_utils import TestServer
from numpy.typing import NDArray

from lsb_backend.detection import Detection, Parameters
from lsb_backend.label_studio.client import LabelStudio
from lsb_backend.media import Limits, Media
from lsb_backend.predict.slot import Served
from lsb_backend.store.card import Card

Image = NDArray[np.uint8]


class Model:
    """Finds one box in each image: its class is the grey of the image, its score the model's own.

    Blocks while `gate` is not set; fails on every batch with an image of the grey `poison`.
    """

    device = "test"
    workers = 1
    batch = 64

    def __init__(self, names: tuple[str, ...] = ("cat", "dog"), score: float = 0.5) -> None:
        self.names = names
        self.score = score
        self.poison: int | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.working = threading.Event()
        self.batches: list[list[int]] = []
        self.shapes: list[set[tuple[int, ...]]] = []
        self.threads: set[int] = set()
        self.closed = 0
        self.used_after_close = False

    def prepare(self, image: Image, parameters: Parameters) -> Image:
        """See Runtime."""
        return image

    def predict(self, images: Sequence[Image], parameters: Parameters) -> list[list[Detection]]:
        """See Runtime."""
        greys = [int(image.flat[0]) for image in images]
        self.batches.append(greys)
        self.shapes.append({image.shape for image in images})
        self.threads.add(threading.get_ident())
        self.working.set()
        assert self.gate.wait(30)
        self.used_after_close |= self.closed > 0
        if self.poison in greys:
            raise ValueError(f"cannot stand\n{self.poison}")
        return [self.found(grey, image) for grey, image in zip(greys, images, strict=True)]

    def found(self, grey: int, image: Image) -> list[Detection]:
        """What is found in an image of this grey."""
        height, width = image.shape[:2]
        return [Detection(grey, self.score, (0.0, 0.0, width / 2, height / 2))]

    def close(self) -> None:
        """See Runtime."""
        self.threads.add(threading.get_ident())
        self.closed += 1


def grey(value: int, width: int = 8, height: int = 6) -> Image:
    """An image of one grey."""
    return np.full((height, width, 3), value, np.uint8)


def png(image: Image) -> bytes:
    """An image as a file."""
    done, data = cv2.imencode(".png", image)
    assert done
    return bytes(data)


def served(model: Model, version: str = "1-00000001", trained: bool = True) -> Served:
    """A model as it is served."""
    sequence, short = version.split("-")
    card = Card(
        version=version,
        sequence=int(sequence),
        sha256=short * 8,
        task="detect",
        classes=list(model.names),
        trained=trained,
        created_at=datetime.now(UTC),
    )
    return Served(version, model, card, model.names)


async def until(condition: Callable[[], bool]) -> None:
    """Let everybody else work until something holds."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - the condition may be anything
            await asyncio.sleep(0)


@dataclass
class Pictures:
    """Serves `/data/upload/1/<grey>.png` or `<grey>-<any>.png`, else what `files` holds; notes who asked."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    watch: Callable[[], None] = lambda: None

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request."""
        name = request.path.rsplit("/", 1)[-1]
        self.asked.append(name)
        self.watch()
        if name in self.files:
            return web.Response(body=self.files[name])
        # What follows a dash makes one more file of the same picture: its name stands behind the last chunk.
        number, _, more = name.removesuffix(".png").partition("-")
        if not number.isdigit():
            detail = "'NoneType' object has no attribute 'has_permission'"
            return web.json_response({"detail": detail}, status=500)
        return web.Response(body=png(grey(int(number))) + more.encode())


@pytest.fixture
def pictures() -> Pictures:
    """What the server of pictures has."""
    return Pictures()


@pytest.fixture
async def media(pictures: Pictures) -> AsyncIterator[Media]:
    """Media that read from the server of pictures."""
    app = web.Application()
    app.router.add_get("/{path:.*}", pictures.handle)
    async with TestServer(app) as server:
        url = str(server.make_url(""))
        async with LabelStudio.connect(url, "key") as studio, Media(studio, limits=Limits()) as opened:
            yield opened


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Repeat as often as outside of tests, but at once."""
    stamina.set_testing(True, attempts=10, cap=True)
    yield
    stamina.set_testing(False)
