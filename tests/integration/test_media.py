"""Images as a real Label Studio keeps and serves them: uploads, local files, and files in a bucket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from lsb_backend.label_studio.client import LabelStudio
from lsb_backend.media import Media, MediaError
from lsb_backend.media.error import Reason

NAMES = ["plain.png", "with blank.png", "ünïcode.png", "100%.png", "plus+hash#1&amp.png"]
LABEL_CONFIG = """<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">
<Label value="cat"/></RectangleLabels></View>"""
UNREACHABLE = "http://127.0.0.1:1"


def make_pictures(folder: Path) -> dict[str, bytes]:
    """A different picture for each name."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(NAMES):
        (folder / name).write_bytes(cv2.imencode(".png", np.full((4, 4, 3), number, np.uint8))[1].tobytes())
    return {name: (folder / name).read_bytes() for name in NAMES}


@asynccontextmanager
async def reading(url: str, token: str, directory: Path | None = None) -> AsyncIterator[Media]:
    async with LabelStudio.connect(url, token) as studio, Media(studio, directory=directory) as media:
        yield media


def stored(admin: Any, project: int) -> dict[int, str]:
    """What the tasks of a project hold as their image, oldest task first."""
    return {
        task["id"]: task["data"]["image"]
        for task in sorted(admin.export(project), key=lambda task: task["id"])
    }


async def test_uploads_are_read_over_http_and_from_the_mounted_folder(
    label_studio: Any, admin: Any, project: int, tmp_path: Path
) -> None:
    pictures = make_pictures(tmp_path)
    admin.upload(project, [tmp_path / name for name in NAMES])
    tasks = stored(admin, project)
    async with reading(label_studio.url, label_studio.token) as media:
        fetched = [await media.read(task, value) for task, value in tasks.items()]
    async with reading(UNREACHABLE, "unused", label_studio.server.data / "media") as media:
        mounted = [await media.read(task, value) for task, value in tasks.items()]
    assert fetched == list(pictures.values())
    assert mounted == fetched


async def test_an_upload_that_is_gone_is_said_to_be(label_studio: Any, admin: Any, project: int) -> None:
    async with reading(label_studio.url, label_studio.token) as media:
        with pytest.raises(MediaError) as refusal:
            await media.read(1, f"/data/upload/{project}/00000000-gone.png")
    assert refusal.value.reason is Reason.MISSING


async def test_a_token_that_label_studio_does_not_accept_is_said_so(
    label_studio: Any, admin: Any, project: int, tmp_path: Path
) -> None:
    make_pictures(tmp_path)
    admin.upload(project, [tmp_path / "plain.png"])
    ((task, value),) = stored(admin, project).items()
    async with reading(label_studio.url, "0" * 40) as media:
        with pytest.raises(MediaError) as refusal:
            await media.read(task, value)
    assert refusal.value.reason is Reason.UNAUTHORIZED


async def test_uploads_of_a_label_studio_below_a_sub_path(
    sub_path_label_studio: Any, sub_path_url: str, tmp_path: Path
) -> None:
    pictures = make_pictures(tmp_path)
    admin = sub_path_label_studio.admin
    project = admin.create_project("below a sub-path", LABEL_CONFIG)
    admin.upload(project, [tmp_path / name for name in NAMES])
    tasks = stored(admin, project)
    assert all(value.startswith("/label/data/upload/") for value in tasks.values())
    async with reading(sub_path_url, sub_path_label_studio.token) as media:
        assert [await media.read(task, value) for task, value in tasks.items()] == list(pictures.values())
    async with reading(UNREACHABLE, "unused", sub_path_label_studio.server.data / "media") as media:
        assert [await media.read(task, value) for task, value in tasks.items()] == list(pictures.values())


@pytest.mark.parametrize("host", [None, "http://label-studio.example"])
async def test_files_of_a_local_storage(
    host: str | None, start_label_studio: Callable[[dict[str, str | None]], Any], tmp_path: Path
) -> None:
    """With LABEL_STUDIO_HOST the tasks hold addresses of a host that this backend need not know."""
    pictures = make_pictures(tmp_path / "files/ds1")
    studio = start_label_studio(
        {
            "LOCAL_FILES_SERVING_ENABLED": "true",
            "LOCAL_FILES_DOCUMENT_ROOT": str(tmp_path / "files"),
            "LABEL_STUDIO_HOST": host,
        }
    )
    project = studio.admin.create_project("local files", LABEL_CONFIG)
    storage = studio.admin.send(
        "POST",
        "/api/storages/localfiles/",
        {"project": project, "path": str(tmp_path / "files/ds1"), "use_blob_urls": True, "title": "files"},
    )
    studio.admin.send("POST", f"/api/storages/localfiles/{storage['id']}/sync", {"project": project})
    tasks = stored(studio.admin, project)
    assert len(tasks) == len(NAMES)
    assert all(value.startswith(f"{host or ''}/data/local-files/?d=ds1/") for value in tasks.values())
    async with reading(studio.url, studio.token) as media:
        read = [await media.read(task, value) for task, value in tasks.items()]
        with pytest.raises(MediaError) as refusal:
            await media.read(1, "/data/local-files/?d=ds2/elsewhere.png")
    assert sorted(read) == sorted(pictures.values())
    assert refusal.value.reason is Reason.MISSING


@pytest.mark.parametrize("presign", [True, False])
async def test_files_in_a_bucket(label_studio: Any, admin: Any, project: int, presign: bool) -> None:
    asked: list[tuple[str, str, str | None]] = []

    async def bucket(request: web.Request) -> web.Response:
        asked.append((request.method, request.path, request.headers.get("Authorization")))
        return web.Response(body=b"picture", content_type="image/png")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", bucket)
    async with TestServer(app) as server:
        fields = {"s3_endpoint": str(server.make_url("")).rstrip("/"), "region_name": "us-east-1"}
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
        storage = {
            "project": project,
            "bucket": "bucket",
            "title": "bucket",
            "presign": presign,
            **fields,
            **keys,
        }
        await asyncio.to_thread(admin.send, "POST", "/api/storages/s3/", storage)
        await asyncio.to_thread(
            admin.import_tasks, project, [{"data": {"image": "s3://bucket/imgs/a b.png"}}]
        )
        ((task, value),) = (await asyncio.to_thread(stored, admin, project)).items()
        assert value == "s3://bucket/imgs/a b.png"
        asked.clear()
        async with reading(label_studio.url, label_studio.token) as media:
            assert await media.read(task, value) == b"picture"
    method, path, authorization = asked[-1]
    assert (method, path) == ("GET", "/bucket/imgs/a b.png")
    # A signed address carries its permission in itself; otherwise Label Studio asks with its own key.
    assert (authorization is None) == presign
