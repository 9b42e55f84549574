"""Tasks, annotations and images for the tests of datasets."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from lsb_backend.dataset.split import Split


class Make:
    """What Label Studio's export holds, as short as a test wants to say it."""

    config = """<View><Image name="image" value="$image"/>
    <RectangleLabels name="label" toName="image"><Label value="zebra"/><Label value="ant"/></RectangleLabels>
    <Choices name="light" toName="image"><Choice value="day"/></Choices></View>"""
    polygon_config = """<View><Image name="image" value="$image"/>
    <PolygonLabels name="poly" toName="image"><Label value="zebra"/><Label value="ant"/></PolygonLabels>
    </View>"""
    moment = "2026-11-22T09:00:00.000000Z"

    def region(self, control: str, kind: str, **value: object) -> dict[str, Any]:
        """A region of any kind."""
        return {
            "id": "r",
            "from_name": control,
            "to_name": "image",
            "type": kind,
            "original_width": 320,
            "original_height": 240,
            "image_rotation": 0,
            "value": value,
        }

    def box(self, label: str = "zebra", **value: object) -> dict[str, Any]:
        """A rectangle; percent coordinates may be given by name."""
        drawn = {"x": 10.0, "y": 10.0, "width": 20.0, "height": 20.0, "rotation": 0}
        return self.region("label", "rectanglelabels", **(drawn | {"rectanglelabels": [label]} | value))

    def polygon(self, points: object, label: str = "zebra") -> dict[str, Any]:
        """A polygon of percent points."""
        return self.region("poly", "polygonlabels", points=points, closed=True, polygonlabels=[label])

    def annotation(self, *regions: dict[str, Any], **fields: object) -> dict[str, Any]:
        """An annotation that was submitted."""
        return {
            "id": 1,
            "was_cancelled": False,
            "ground_truth": False,
            "created_at": self.moment,
            "updated_at": self.moment,
            "result": list(regions),
        } | fields

    def task(self, number: int, *annotations: dict[str, Any], image: str | None = None) -> dict[str, Any]:
        """A task; its image is called after its number unless it is given."""
        address = f"/data/upload/1/{number}.png" if image is None else image
        return {"id": number, "project": 1, "data": {"image": address}, "annotations": list(annotations)}

    def png(self, width: int = 32, height: int = 24, seed: int = 0) -> bytes:
        """A picture of noise, which no two seeds have in common."""
        pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
        return cv2.imencode(".png", pixels)[1].tobytes()

    def reader(self, images: dict[str, bytes] | None = None) -> Callable[[int, str], Awaitable[bytes]]:
        """Images in memory by address; without any, each task has a picture of its own."""

        async def read(task_id: int, address: str) -> bytes:
            return self.png(seed=task_id) if images is None else images[address]

        return read

    async def turn(self) -> None:
        """Let everything else that is ready run once."""
        await asyncio.sleep(0)


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()


@pytest.fixture
def split(tmp_path: Path) -> Split:
    """An empty split, kept in the temporary folder."""
    return Split.load(tmp_path / "split.json")
