"""Images of earlier trainings: used where they are still right, and nowhere else."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from lsb_backend.dataset.cache import INDEX, ImageCache, KeptPicture
from lsb_backend.dataset.images import Picture, picture
from lsb_backend.dataset.source import CachedImages
from lsb_backend.label_studio.client import LabelStudio
from lsb_backend.media.fetched import Identity, Validators
from lsb_backend.media.limits import Limits
from lsb_backend.media.media import Media

UPLOAD = "/data/upload/1/0a1b2c3d-cat.png"
LIMITS = Limits()


class Pictures:
    """A server of pictures, which remembers what it was asked and can change what it has."""

    def __init__(self, make: Any) -> None:
        self.make = make
        self.seed = 1
        self.asked: list[tuple[str, int]] = []
        self.with_tag = True
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        tag = f'"{self.seed}"'
        headers = {"ETag": tag} if self.with_tag else {}
        status = 304 if self.with_tag and request.headers.get("If-None-Match") == tag else 200
        self.asked.append((request.path, status))
        body = self.make.png(seed=self.seed) if status == 200 else None
        return web.Response(status=status, body=body, headers=headers)


@pytest.fixture
async def pictures(make: Any) -> AsyncIterator[Pictures]:
    served = Pictures(make)
    app = web.Application()
    app.router.add_get("/{tail:.*}", served.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield served
    await runner.cleanup()


@asynccontextmanager
async def training(served: Pictures, folder: Path) -> AsyncIterator[CachedImages]:
    """What one training reads with; it ends well."""
    cache = ImageCache(folder)
    async with (
        LabelStudio.connect(served.url, "0" * 40) as studio,
        Media(studio, ["127.0.0.1"]) as media,
    ):
        yield CachedImages(media, cache)
    cache.commit()


async def content(images: CachedImages, address: str, folder: Path) -> bytes:
    """The file that a dataset gets."""
    found = await images.read(1, address)
    assert not isinstance(found, bytes)
    path = folder / "image"
    path.unlink(missing_ok=True)
    found.put(path)
    return path.read_bytes()


async def test_an_upload_is_fetched_once(pictures: Pictures, make: Any, tmp_path: Path) -> None:
    for _ in range(3):
        async with training(pictures, tmp_path / "cache") as images:
            assert await content(images, UPLOAD, tmp_path) == make.png(seed=1)
    assert pictures.asked == [(UPLOAD, 200)]


async def test_another_image_is_asked_for_again_and_sent_only_if_it_changed(
    pictures: Pictures, make: Any, tmp_path: Path
) -> None:
    elsewhere = f"{pictures.url}/data/local-files/?d=cat.png"
    for seed in (1, 1, 2):
        pictures.seed = seed
        async with training(pictures, tmp_path / "cache") as images:
            assert await content(images, elsewhere, tmp_path) == make.png(seed=seed)
    assert [status for _, status in pictures.asked] == [200, 304, 200]


async def test_a_server_that_says_nothing_of_changes_is_asked_for_the_whole_image(
    pictures: Pictures, make: Any, tmp_path: Path
) -> None:
    pictures.with_tag = False
    for seed in (1, 2):
        pictures.seed = seed
        async with training(pictures, tmp_path / "cache") as images:
            assert await content(images, "/data/local-files/?d=cat.png", tmp_path) == make.png(seed=seed)
    assert [status for _, status in pictures.asked] == [200, 200]


async def test_the_upload_of_another_label_studio_is_another_image(
    pictures: Pictures, make: Any, tmp_path: Path
) -> None:
    async with training(pictures, tmp_path / "cache") as images:
        await images.read(1, UPLOAD)
    pictures.url = pictures.url.replace("127.0.0.1", "localhost")
    pictures.seed = 2
    async with training(pictures, tmp_path / "cache") as images:
        assert await content(images, UPLOAD, tmp_path) == make.png(seed=2)


@pytest.fixture
def added(make: Any, tmp_path: Path) -> Callable[..., KeptPicture]:
    """Adds the picture with a number in a training of its own."""

    def add(number: int, maximum: int | None = None) -> KeptPicture:
        cache = ImageCache(tmp_path)
        kept = cache.add(identity(number), picture(make.png(seed=number), LIMITS), Validators())
        assert isinstance(kept, KeptPicture)
        cache.commit(maximum)
        return kept

    return add


def identity(number: int) -> Identity:
    return Identity(f"http://studio/data/upload/1/{number}.png", lasting=True)


def test_a_dataset_shares_the_file(added: Any, tmp_path: Path) -> None:
    kept = added(1)
    kept.put(tmp_path / "image.png")
    assert (tmp_path / "image.png").stat().st_ino == kept.path.stat().st_ino


def test_without_links_the_file_is_copied(
    added: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = added(1)

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    kept.put(tmp_path / "image.png")
    assert (tmp_path / "image.png").read_bytes() == kept.path.read_bytes()


def test_a_file_that_somebody_wrote_to_is_not_used(added: Any, make: Any, tmp_path: Path) -> None:
    kept = added(1)
    data = kept.path.read_bytes()
    kept.path.write_bytes(data[:-1] + b"\0")
    os.utime(kept.path, ns=(0, 0))
    assert ImageCache(tmp_path).known(identity(1)) is None
    kept.path.unlink()
    assert ImageCache(tmp_path).known(identity(1)) is None


def test_what_was_used_last_stays_when_room_is_short(added: Any, make: Any, tmp_path: Path) -> None:
    files = [added(number) for number in (1, 2)]
    again = ImageCache(tmp_path)
    assert again.known(identity(1)) is not None
    again.commit()
    one = files[0].path.stat().st_size
    added(3, 2 * one + 100)
    cache = ImageCache(tmp_path)
    assert [cache.known(identity(number)) is not None for number in (1, 2, 3)] == [True, False, True]
    assert not files[1].path.exists()


def test_what_a_killed_training_left_is_cleared(added: Any, make: Any, tmp_path: Path) -> None:
    killed = ImageCache(tmp_path)
    killed.add(identity(2), picture(make.png(seed=2), LIMITS), Validators())
    (tmp_path / ".tmp-0123").write_bytes(b"half")
    assert ImageCache(tmp_path).known(identity(2)) is None
    kept = added(1)
    assert {path.name for path in tmp_path.iterdir()} == {INDEX, kept.path.name}


@pytest.mark.parametrize("index", [b"", b"{", b"[]", b'{"format": 99, "entries": {}}', b'{"entries": 5}'])
def test_an_index_that_cannot_be_read_is_an_empty_one(added: Any, index: bytes, tmp_path: Path) -> None:
    added(1)
    (tmp_path / INDEX).write_bytes(index)
    assert ImageCache(tmp_path).known(identity(1)) is None
    assert added(1).path.exists()


def test_without_room_the_picture_is_used_and_not_kept(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = picture(make.png(seed=1), LIMITS)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    cache = ImageCache(tmp_path)
    monkeypatch.setattr(Picture, "put", full)
    assert cache.add(identity(1), made, Validators()) is made
    assert list(tmp_path.iterdir()) == []


def test_signed_addresses_are_not_written_down(make: Any, tmp_path: Path) -> None:
    cache = ImageCache(tmp_path)
    signed = Identity("https://bucket/cat.png?X-Amz-Signature=0123456789abcdef", lasting=False)
    cache.add(signed, picture(make.png(), LIMITS), Validators())
    cache.commit()
    assert b"0123456789abcdef" not in (tmp_path / INDEX).read_bytes()
