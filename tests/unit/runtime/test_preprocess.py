"""Pictures of any size fit the network, and points come back to where they were."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lsb_backend.runtime import preprocess
from lsb_backend.runtime.preprocess import STRIDE

SIDES = st.integers(1, 3000)


@given(SIDES, SIDES, st.integers(1, 1400))
def test_the_padded_size_fits_the_network_with_the_least_padding(height: int, width: int, size: int) -> None:
    letterbox = preprocess.plan(height, width, size)
    limit = -(-size // STRIDE) * STRIDE
    for padded, content, before in zip(
        letterbox.padded, letterbox.content, (letterbox.top, letterbox.left), strict=True
    ):
        assert padded % STRIDE == 0
        assert 0 <= before <= padded - content < STRIDE
    assert max(letterbox.padded) == limit


@given(st.integers(1, 300), st.integers(1, 300))
def test_the_picture_lies_where_the_plan_says(height: int, width: int) -> None:
    letterbox = preprocess.plan(height, width, 64)
    padded = preprocess.apply(np.full((height, width, 3), 255, np.uint8), letterbox)
    rows, columns = np.nonzero((padded == 255).all(axis=2))
    assert padded.shape == (*letterbox.padded, 3)
    assert (rows.min(), columns.min()) == (letterbox.top, letterbox.left)
    assert (int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1) == letterbox.content


def test_a_batch_is_rgb_between_0_and_1() -> None:
    blue = np.zeros((64, 64, 3), np.uint8)
    blue[..., 0] = 255
    batch = preprocess.planes(np.stack([blue, blue]))
    assert batch.shape == (2, 3, 64, 64)
    assert batch.dtype == np.float32
    assert batch[:, :, 0, 0].tolist() == [[0, 0, 1], [0, 0, 1]]
