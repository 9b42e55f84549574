"""Images are trained on as annotators saw them."""

import io
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from lsb_backend.dataset.images import UnfitImageError, picture
from lsb_backend.media.decode import decode
from lsb_backend.media.limits import Limits
from lsb_crds.errors import UserError

LIMITS = Limits()


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def colourful(width: int = 40, height: int = 20) -> Image.Image:
    """Red on the left, blue on the right, so that turning it shows."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[:, : width // 2] = (255, 0, 0)
    pixels[:, width // 2 :] = (0, 0, 255)
    return Image.fromarray(pixels)


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(colourful(), "JPEG", exif=exif, quality=95)


def trained_on(data: bytes) -> Any:
    """The pixels as the trainer reads them: no EXIF, no conversion may be left to do."""
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_plain_image_is_kept_byte_for_byte(form: str) -> None:
    data = saved(colourful(), form)
    kept = picture(data, LIMITS)
    assert kept.data == data
    assert (kept.width, kept.height) == (40, 20)
    assert kept.extension == {"JPEG": ".jpg", "PNG": ".png"}[form]


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_photograph_is_turned_upright(orientation: int) -> None:
    data = turned(orientation)
    upright = picture(data, LIMITS)
    assert upright.extension == ".jpg"
    assert (upright.width, upright.height) == ((40, 20) if orientation < 5 else (20, 40))
    difference = trained_on(upright.data).astype(int) - decode(data, LIMITS).astype(int)
    assert np.abs(difference).mean() < 3


@pytest.mark.parametrize(
    "data",
    [
        saved(colourful().convert("L"), "PNG"),
        saved(colourful().convert("L"), "JPEG"),
        saved(colourful().convert("CMYK"), "JPEG"),
        saved(colourful().convert("RGBA"), "PNG"),
        saved(colourful().convert("P"), "PNG"),
        saved(Image.fromarray(np.full((20, 40), 30000, dtype=np.uint16)), "PNG"),
        saved(colourful(), "WEBP", lossless=True),
        saved(colourful(), "BMP"),
        saved(colourful(), "TIFF"),
        saved(colourful(), "GIF", save_all=True, append_images=[colourful().rotate(180)]),
    ],
    ids=["grey", "grey-jpeg", "cmyk", "alpha", "palette", "16-bit", "webp", "bmp", "tiff", "animated"],
)
def test_any_other_image_is_written_anew_as_it_was_decoded(data: bytes) -> None:
    made = picture(data, LIMITS)
    pixels = trained_on(made.data)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (20, 40, 3)
    assert np.abs(pixels.astype(int) - decode(data, LIMITS).astype(int)).mean() < 3
    assert made.extension in (".jpg", ".png")


@pytest.mark.parametrize("data", [b"", b"no image", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"])
def test_what_is_no_image_is_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(UserError) as caught:
        picture(data, LIMITS)
    assert "\n" not in str(caught.value)


def test_an_image_too_small_to_train_on_is_refused() -> None:
    with pytest.raises(UnfitImageError, match="9 x 30 pixels"):
        picture(saved(colourful(9, 30), "PNG"), LIMITS)


def test_a_photograph_with_nothing_between_header_and_end_is_refused() -> None:
    data = saved(colourful(400, 200), "JPEG")
    with pytest.raises(UserError):
        picture(data[: data.index(b"\xff\xdb")] + b"\xff\xd9", LIMITS)


def test_what_follows_the_end_of_a_photograph_does_not_keep_it_out() -> None:
    made = picture(saved(colourful(), "JPEG") + b"thumbnail", LIMITS)
    assert (made.width, made.height) == (40, 20)
