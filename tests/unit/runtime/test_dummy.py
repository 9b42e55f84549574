"""The dummy finds one thing, in the right pixels of each picture."""

import numpy as np

from lsb_backend.detection import Parameters
from lsb_backend.runtime.dummy import DummyRuntime


def test_one_centred_box_with_its_outline_for_each_picture() -> None:
    pictures = [np.zeros((100, 200, 3), np.uint8), np.zeros((60, 40, 3), np.uint8)]
    runtime = DummyRuntime(("cat",))
    wide, tall = runtime.predict(
        [runtime.prepare(picture, Parameters()) for picture in pictures], Parameters()
    )
    assert [detection.box for detection in (*wide, *tall)] == [(50, 25, 150, 75), (10, 15, 30, 45)]
    assert wide[0].class_index == 0
    assert wide[0].score == 0.5
    assert wide[0].polygon is not None
    assert wide[0].polygon.tolist() == [[50, 25], [150, 25], [150, 75], [50, 75]]
