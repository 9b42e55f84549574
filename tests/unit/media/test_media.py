"""Images over real HTTP and from a real folder: what is read, how often, and who gets to see the token."""

import asyncio
import base64
import gzip
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from lsb_backend.label_studio.client import LabelStudio
from lsb_backend.media import Limits, Media, MediaError
from lsb_backend.media.error import Reason

from .conftest import Recorder, Serve

TOKEN = "0123456789abcdef"
AUTHORIZATION = f"Token {TOKEN}"
UPLOAD = "/data/upload/1/a.png"


@asynccontextmanager
async def reading(
    studio: Recorder | str,
    hosts: tuple[str, ...] = (),
    directory: Path | None = None,
    limits: Limits | None = None,
    token: str = TOKEN,
) -> AsyncIterator[Media]:
    url = studio if isinstance(studio, str) else studio.url
    async with LabelStudio.connect(url, token) as client, Media(client, hosts, directory, limits) as media:
        yield media


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=request.raw_path.encode())


async def test_an_upload_is_fetched_with_the_token(serve: Serve) -> None:
    studio = await serve(echo)
    async with reading(studio) as media:
        assert await media.read(1, "/data/upload/1/a%20b.png") == b"/data/upload/1/a%20b.png"
    assert studio.seen == [("/data/upload/1/a%20b.png", AUTHORIZATION)]


async def test_under_a_sub_path_its_prefix_is_neither_lost_nor_doubled(serve: Serve) -> None:
    studio = await serve(echo)
    async with reading(f"{studio.url}/label/studio/") as media:
        await media.read(1, "/label/studio/data/upload/1/a.png")
        await media.read(1, "/data/upload/1/a.png")
        await media.read(5, "s3://bucket/a.png")
    uri = base64.urlsafe_b64encode(b"s3://bucket/a.png").decode()
    assert [path.replace("%3D", "=") for path, _ in studio.seen] == [
        "/label/studio/data/upload/1/a.png",
        "/label/studio/data/upload/1/a.png",
        f"/label/studio/tasks/5/presign/?fileuri={uri}",
    ]


async def test_the_encoding_of_a_local_file_arrives_as_it_was_stored(serve: Serve) -> None:
    studio = await serve(echo)
    value = "/data/local-files/?d=ds1/im%20g%2B%C3%A4%2F0.png"
    async with reading(studio) as media:
        await media.read(1, value)
        await media.read(1, studio.url + value)
    assert studio.seen == [(value, AUTHORIZATION)] * 2


async def test_the_token_never_goes_to_another_host(serve: Serve) -> None:
    studio, other = await serve(echo), await serve(echo)
    async with reading(studio, (other.host,)) as media:
        await media.read(1, f"{other.url}{UPLOAD}?sig=%2B")
        await media.read(1, f"{studio.url}{UPLOAD}")
    assert other.seen == [(f"{UPLOAD}?sig=%2B", None)]
    assert studio.seen == [(UPLOAD, AUTHORIZATION)]


async def test_a_presigned_address_is_followed_without_the_token(serve: Serve) -> None:
    bucket = await serve(echo)
    signed = "/bucket/a%20b.png?X-Amz-Signature=a%2Bb%2F"

    async def presign(_: web.Request) -> web.Response:
        return web.Response(status=303, headers={"Location": f"{bucket.url}{signed}"})

    studio = await serve(presign)
    async with reading(studio) as media:
        assert await media.read(1, "s3://bucket/a b.png") == signed.encode()
    assert [authorization for _, authorization in studio.seen] == [AUTHORIZATION]
    assert bucket.seen == [(signed, None)]


async def test_a_token_that_left_label_studio_is_not_sent_on_the_way_back(serve: Serve) -> None:
    targets: dict[str, str] = {}

    async def bounce(request: web.Request) -> web.Response:
        if request.path in targets:
            raise web.HTTPFound(targets[request.path])
        return web.Response(body=b"image")

    studio, other = await serve(bounce), await serve(bounce)
    targets |= {UPLOAD: f"{other.url}/bounce", "/bounce": f"{studio.url}/data/upload/1/b.png"}
    async with reading(studio, (studio.host,)) as media:
        assert await media.read(1, UPLOAD) == b"image"
    assert studio.seen == [(UPLOAD, AUTHORIZATION), ("/data/upload/1/b.png", None)]


async def test_another_host_cannot_redirect_to_a_forbidden_one(serve: Serve) -> None:
    studio, secret = await serve(echo), await serve(echo)

    async def redirect(_: web.Request) -> web.Response:
        raise web.HTTPFound(f"{secret.url}/metadata")

    other = await serve(redirect)
    async with reading(studio, (other.host,)) as media:
        with pytest.raises(MediaError) as refusal:
            await media.read(1, f"{other.url}/a.png")
    assert refusal.value.reason is Reason.FORBIDDEN_HOST
    assert secret.seen == []


async def test_a_circle_of_redirects_ends(serve: Serve) -> None:
    async def redirect(request: web.Request) -> web.Response:
        raise web.HTTPFound(request.path)

    studio = await serve(redirect)
    async with reading(studio, limits=Limits(redirects=2)) as media:
        with pytest.raises(MediaError, match="redirects again"):
            await media.read(1, UPLOAD)
    assert len(studio.seen) == 3


async def test_an_access_token_that_ended_early_is_renewed_once(serve: Serve) -> None:
    issued: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        if request.path == "/api/token/refresh/":
            issued.append(f"access-{len(issued)}")
            return web.json_response({"access": issued[-1]})
        valid = request.headers["Authorization"] == "Bearer access-1"
        return web.Response(body=b"image") if valid else web.json_response({"detail": "no"}, status=401)

    async with reading(await serve(handler), token="a.b.c") as media:
        assert await media.read(1, UPLOAD) == b"image"
    assert issued == ["access-0", "access-1"]


@pytest.mark.parametrize(
    ("status", "body", "reason", "requests"),
    [
        (401, b"{}", Reason.UNAUTHORIZED, 2),
        (403, b"{}", Reason.UNAUTHORIZED, 1),
        (404, b"<html>", Reason.MISSING, 1),
        (500, b"{\"detail\": \"'NoneType' object has no attribute 'has_permission'\"}", Reason.MISSING, 1),
        (500, b"database is locked", Reason.UNREACHABLE, 3),
        (503, b"", Reason.UNREACHABLE, 3),
        (429, b"", Reason.UNREACHABLE, 3),
        (204, b"", Reason.UNREACHABLE, 1),
        (301, b"", Reason.UNREACHABLE, 1),
    ],
)
async def test_a_refusal_is_one_line_and_asked_again_only_where_that_may_help(
    serve: Serve, status: int, body: bytes, reason: Reason, requests: int
) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    studio = await serve(handler)
    async with reading(studio) as media:
        with pytest.raises(MediaError) as refusal:
            await media.read(1, f"{UPLOAD}?secret=1")
    assert refusal.value.reason is reason
    assert len(studio.seen) == requests
    assert UPLOAD in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "secret" not in str(refusal.value)
    assert TOKEN not in str(refusal.value)


async def test_a_server_that_recovers_is_not_given_up(serve: Serve) -> None:
    answers = iter([503, 500, 200])

    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=next(answers), body=b"image")

    async with reading(await serve(handler)) as media:
        assert await media.read(1, UPLOAD) == b"image"


async def test_a_server_that_is_down_is_said_to_be(serve: Serve, unused_tcp_port: int) -> None:
    async with reading(f"http://127.0.0.1:{unused_tcp_port}") as media:
        with pytest.raises(MediaError, match="Cannot connect") as refusal:
            await media.read(1, UPLOAD)
    assert refusal.value.reason is Reason.UNREACHABLE


async def test_a_server_that_never_answers_is_left(serve: Serve) -> None:
    async def silent(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    studio = await serve(silent)
    async with reading(studio, limits=Limits(total_timeout=0.05, attempts=2)) as media:
        with pytest.raises(MediaError, match=r"within 0\.05 s"):
            await media.read(1, UPLOAD)
    assert len(studio.seen) == 2


async def test_a_body_that_breaks_off_is_read_again(serve: Serve) -> None:
    rounds = iter([True, False])

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "10"})
        await response.prepare(request)
        if next(rounds):
            await response.write(b"123")
            assert request.transport is not None
            request.transport.abort()
        else:
            await response.write(b"0123456789")
        return response

    async with reading(await serve(handler)) as media:
        assert await media.read(1, UPLOAD) == b"0123456789"


async def test_a_large_image_is_refused_by_its_announced_length(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(10**12)})
        await response.prepare(request)
        return response

    async with reading(await serve(handler), limits=Limits(bytes=1000)) as media:
        with pytest.raises(MediaError) as refusal:
            await media.read(1, UPLOAD)
    assert refusal.value.reason is Reason.TOO_LARGE


async def test_an_endless_image_is_left_at_the_limit(serve: Serve) -> None:
    sent = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)
            sent += 65_536

    async with reading(await serve(handler), limits=Limits(bytes=100_000)) as media:
        with pytest.raises(MediaError) as refusal:
            await media.read(1, UPLOAD)
    assert refusal.value.reason is Reason.TOO_LARGE
    assert sent < 64 * 2**20


async def test_what_a_compressed_answer_unpacks_to_counts(serve: Serve) -> None:
    packed = gzip.compress(b"\0" * 10_000_000)

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    async with reading(await serve(handler), limits=Limits(bytes=100_000)) as media:
        with pytest.raises(MediaError) as refusal:
            await media.read(1, UPLOAD)
    assert refusal.value.reason is Reason.TOO_LARGE


async def test_no_more_images_are_read_at_a_time_than_allowed(serve: Serve) -> None:
    waiting, most, release = 0, 0, asyncio.Event()

    async def handler(_: web.Request) -> web.Response:
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        if waiting == 3:
            release.set()
        await release.wait()
        waiting -= 1
        return web.Response(body=b"image")

    async with reading(await serve(handler), limits=Limits(connections=3)) as media:
        images = await asyncio.gather(*(media.read(task, UPLOAD) for task in range(9)))
    assert images == [b"image"] * 9
    assert most == 3


def upload(directory: Path, name: str, data: bytes = b"from disk") -> None:
    path = directory / "upload" / "1" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


async def test_a_mounted_upload_is_not_asked_for(serve: Serve, tmp_path: Path) -> None:
    studio = await serve(echo)
    upload(tmp_path, "a b.png")
    async with reading(studio, directory=tmp_path) as media:
        assert await media.read(1, "/studio/data/upload/1/a%20b.png") == b"from disk"
    assert studio.seen == []


async def test_an_upload_missing_from_the_mounted_folder_is_fetched(serve: Serve, tmp_path: Path) -> None:
    studio = await serve(echo)
    (tmp_path / "upload/1/a.png").mkdir(parents=True)
    os.mkfifo(tmp_path / "upload/1/pipe.png")
    async with reading(studio, directory=tmp_path) as media:
        for name in ("a.png", "pipe.png", "gone.png"):
            assert await media.read(1, f"/data/upload/1/{name}") == f"/data/upload/1/{name}".encode()


async def test_a_link_out_of_the_mounted_folder_is_refused(serve: Serve, tmp_path: Path) -> None:
    studio = await serve(echo)
    upload(tmp_path / "media", "a.png")
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "media/upload/1/link.png").symlink_to(tmp_path / "secret")
    async with reading(studio, directory=tmp_path / "media") as media:
        with pytest.raises(MediaError) as refusal:
            await media.read(1, "/data/upload/1/link.png")
    assert refusal.value.reason is Reason.FORBIDDEN_PATH


async def test_a_large_file_in_the_mounted_folder_is_refused(serve: Serve, tmp_path: Path) -> None:
    upload(tmp_path, "a.png", b"12345678")
    async with reading(await serve(echo), directory=tmp_path, limits=Limits(bytes=7)) as media:
        with pytest.raises(MediaError) as refusal:
            await media.read(1, UPLOAD)
    assert refusal.value.reason is Reason.TOO_LARGE


async def test_an_image_inside_the_task_is_not_asked_for(serve: Serve) -> None:
    studio = await serve(echo)
    async with reading(studio) as media:
        assert await media.read(1, "data:image/png;base64,aW1hZ2U=") == b"image"
    assert studio.seen == []
