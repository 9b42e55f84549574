"""Images of all kinds come out as an annotator sees them; broken and huge ones are refused cheaply."""

import io
import os
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from lsb_backend.media import Limits, MediaError
from lsb_backend.media.decode import decode
from lsb_backend.media.error import Reason

LIMITS = Limits()
ORIENTATION = 0x112


def picture(width: int = 60, height: int = 40) -> NDArray[np.uint8]:
    """A smooth picture in which no two corners are alike (blue, green, red)."""
    corners = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [250, 250, 250]]], np.uint8)
    return np.asarray(cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def pillow(image: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(image[..., ::-1]))


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def encoded(extension: str, image: NDArray[Any]) -> bytes:
    done, data = cv2.imencode(extension, image)
    assert done
    return bytes(data)


def chunk(kind: bytes, body: bytes, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return struct.pack(">I", size) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_that_claims(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_an_image_is_turned_upright(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = saved(pillow(picture()), kind, exif=exif, quality=95)
    with Image.open(io.BytesIO(data)) as image:
        upright = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))[..., ::-1]
    assert upright.shape == ((60, 40, 3) if orientation > 4 else (40, 60, 3))
    found = decode(data, LIMITS)
    assert found.shape == upright.shape
    assert np.abs(found.astype(int) - upright).max() <= 3


@pytest.mark.parametrize("extension", [".png", ".bmp", ".tiff"])
def test_lossless_formats_keep_each_pixel(extension: str) -> None:
    assert np.array_equal(decode(encoded(extension, picture()), LIMITS), picture())


def test_the_first_frame_of_an_animation_counts() -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "lime", "blue")]
    for kind in ("GIF", "PNG", "WEBP", "TIFF"):
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
        with Image.open(io.BytesIO(data)) as image:
            assert getattr(image, "n_frames", 1) == 3
        found = decode(data, LIMITS)
        assert found.shape == (30, 40, 3)
        assert np.abs(found.astype(int) - (0, 0, 255)).max() <= 3, kind


@pytest.mark.parametrize("extension", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_become_eight(extension: str, channels: int) -> None:
    image = picture() if channels == 3 else picture()[..., :1]
    found = decode(encoded(extension, image.astype(np.uint16) * 257), LIMITS)
    assert found.dtype == np.uint8
    assert np.array_equal(found, np.broadcast_to(image, found.shape))


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA"])
def test_grey_and_palettes_become_three_channels(mode: str) -> None:
    image = pillow(picture()).convert(mode)
    found = decode(saved(image, "PNG"), LIMITS)
    assert np.array_equal(found, np.asarray(image.convert("RGB"))[..., ::-1])


def test_cmyk_has_the_colours_that_pillow_sees() -> None:
    data = saved(pillow(picture()).convert("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in data
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "CMYK"
        expected = np.asarray(image.convert("RGB"))[..., ::-1]
    assert np.abs(decode(data, LIMITS).astype(int) - expected).max() <= 4


def test_transparency_is_dropped() -> None:
    image = np.dstack([picture(), np.zeros((40, 60), np.uint8)])
    assert np.array_equal(decode(encoded(".png", image), LIMITS), picture())


def test_a_multi_picture_jpeg_of_a_phone_is_its_first_picture() -> None:
    data = saved(pillow(picture()), "MPO", save_all=True, append_images=[pillow(picture(30, 20))])
    assert decode(data, LIMITS).shape == (40, 60, 3)


def test_a_png_with_bytes_behind_its_end_is_read() -> None:
    assert np.array_equal(decode(encoded(".png", picture()) + b"\0\0\0", LIMITS), picture())


def jpeg_with_a_preview(image: NDArray[np.uint8]) -> bytes:
    preview = encoded(".jpg", picture())
    comment = b"\xff\xfe" + struct.pack(">H", 2 + len(preview)) + preview
    data = encoded(".jpg", image)
    return data[:2] + comment + data[2:]


@pytest.mark.parametrize("behind", [b"", b"\0\0\0", encoded(".jpg", picture())])
def test_a_jpeg_is_read_alike_whatever_it_holds_beside_its_pixels(behind: bytes) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    data = jpeg_with_a_preview(noise) + behind
    expected = cv2.imdecode(np.frombuffer(encoded(".jpg", noise), np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(decode(data, LIMITS), expected)


def test_a_jpeg_is_read_where_there_can_be_no_file_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(".jpg", picture())
    expected = decode(data, LIMITS)

    def forbidden(name: str) -> int:
        raise PermissionError(name)

    monkeypatch.setattr(os, "memfd_create", forbidden)
    assert np.array_equal(decode(data, LIMITS), expected)


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.999])
def test_the_end_of_a_preview_is_not_that_of_the_jpeg(part: float) -> None:
    data = jpeg_with_a_preview(np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8))
    with pytest.raises(MediaError):
        decode(data[: int(len(data) * part)], LIMITS)


@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp", ".gif", ".bmp", ".tiff"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.9])
def test_a_file_that_ends_early_is_refused(extension: str, part: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    data = encoded(extension, noise)
    assert decode(data, LIMITS).shape == noise.shape
    with pytest.raises(MediaError) as refusal:
        decode(data[: int(len(data) * part)], LIMITS)
    assert refusal.value.reason is Reason.NOT_AN_IMAGE


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>login</html>",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>',
        b"\0\0\0\x18ftypheic\0\0\0\0",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
    ],
)
def test_what_is_no_image_is_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(MediaError) as refusal:
        decode(data, LIMITS)
    assert refusal.value.reason is Reason.NOT_AN_IMAGE
    assert "\n" not in str(refusal.value)


def test_an_unknown_format_is_told_the_known_ones() -> None:
    with pytest.raises(MediaError, match="JPEG, PNG, WEBP, GIF, BMP, TIFF"):
        decode(b"\0\0\0\x18ftypheic\0\0\0\0", LIMITS)


@pytest.mark.parametrize("side", [8193, 60_000])
def test_a_bomb_is_refused_by_its_header(side: int) -> None:
    with pytest.raises(MediaError) as refusal:
        decode(png_that_claims(side, side), LIMITS)
    assert refusal.value.reason is Reason.TOO_LARGE


def test_the_pixel_limit_is_exact() -> None:
    data = encoded(".png", picture(60, 40))
    assert decode(data, Limits(pixels=2400)).shape == (40, 60, 3)
    with pytest.raises(MediaError, match="60x40"):
        decode(data, Limits(pixels=2399))


def test_a_png_chunk_that_claims_four_gigabytes_is_not_believed() -> None:
    """OpenCV would allocate and clear them: seconds, and the end of a small container."""
    data = encoded(".png", picture())
    at = data.index(b"IDAT") - 4
    with pytest.raises(MediaError, match="ends inside one of its chunks"):
        decode(data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :], LIMITS)


@given(
    kind=st.sampled_from([".jpg", ".png", ".webp", ".gif", ".bmp", ".tiff"]), seed=st.integers(0, 2**32 - 1)
)
def test_a_damaged_file_is_an_image_or_a_refusal(kind: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    data = bytearray(encoded(kind, picture(32, 24)))
    for _ in range(3):
        data[random.integers(min(len(data), 300))] = random.integers(256)
    try:
        found = decode(bytes(data), Limits(pixels=10_000))
    except MediaError:
        return
    assert found.dtype == np.uint8
    assert found.ndim == 3
    assert found.shape[0] * found.shape[1] <= 10_000
