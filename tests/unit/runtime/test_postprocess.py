"""Raw numbers become detections: overlaps, limits, masks, and networks that suppress by themselves."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lsb_backend.detection import Parameters
from lsb_backend.runtime import postprocess, preprocess

SQUARE = preprocess.plan(64, 64, 64)


def raw(*objects: tuple[float, ...]) -> NDArray[np.float32]:
    """Output of a network with two classes: columns of (x, y, width, height, score, score)."""
    return np.array(objects, dtype=np.float32).T


def test_overlaps_of_one_class_are_suppressed_and_of_two_are_not() -> None:
    output = raw((30, 30, 20, 20, 0.9, 0.1), (31, 30, 20, 20, 0.8, 0.1), (30, 30, 20, 20, 0.1, 0.7))
    found = postprocess.detections(output, None, 2, SQUARE, Parameters(confidence=0.25, iou=0.5))
    assert [(detection.class_index, round(detection.score, 3)) for detection in found] == [(0, 0.9), (1, 0.7)]
    assert found[0].box == (20, 20, 40, 40)


def test_doubtful_ones_are_left_out_and_the_best_are_kept() -> None:
    output = raw(
        (10, 10, 4, 4, 0.3, 0), (30, 30, 4, 4, 0.6, 0), (50, 50, 4, 4, 0.5, 0), (20, 50, 4, 4, 0.2, 0)
    )
    found = postprocess.detections(output, None, 2, SQUARE, Parameters(confidence=0.25, max_detections=2))
    assert [round(detection.score, 3) for detection in found] == [0.6, 0.5]


def test_nothing_found_is_an_empty_list() -> None:
    assert postprocess.detections(raw((10, 10, 4, 4, 0.1, 0)), None, 2, SQUARE, Parameters()) == []


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_give_no_box(bad: float) -> None:
    output = raw((bad, 30, 20, 20, 0.9, 0), (30, 30, 20, 20, 0.8, 0), (30, 30, 20, 20, np.nan, 0))
    found = postprocess.detections(output, None, 2, SQUARE, Parameters())
    assert [detection.box for detection in found] == [(20, 20, 40, 40)]


def test_boxes_are_moved_to_the_picture_and_cut_at_its_edges() -> None:
    letterbox = preprocess.plan(200, 400, 64)
    assert letterbox.padded == (32, 64)
    found = postprocess.detections(raw((4, 16, 20, 8, 0.9, 0)), None, 2, letterbox, Parameters())
    assert found[0].box == pytest.approx((0, 75, 87.5, 125))


def test_a_box_outside_the_picture_is_left_out() -> None:
    found = postprocess.detections(raw((-30, 30, 20, 20, 0.9, 0)), None, 2, SQUARE, Parameters())
    assert found == []


def test_a_network_that_suppresses_itself_is_told_by_its_shape() -> None:
    rows = np.array(
        [(20, 20, 40, 40, 0.9, 1), (20, 20, 41, 40, 0.8, 1), (0, 0, 9, 9, 0.1, 0)], dtype=np.float32
    )
    found = postprocess.detections(rows, None, 2, SQUARE, Parameters(confidence=0.25))
    assert [(detection.class_index, detection.box) for detection in found] == [
        (1, (20, 20, 40, 40)),
        (1, (20, 20, 41, 40)),
    ]


def test_another_number_of_classes_is_an_error() -> None:
    with pytest.raises(ValueError, match="finds 2 classes where 3 are expected"):
        postprocess.is_end_to_end((6, 84), 3, 0)


def prototypes() -> NDArray[np.float32]:
    """One prototype that is positive left of the middle and in one far corner."""
    mask = np.full((1, 16, 16), -1, dtype=np.float32)
    mask[:, :, :8] = 1
    mask[:, 15, 15] = 1
    return mask


def test_an_outline_is_the_largest_part_of_the_mask_inside_the_box() -> None:
    output = np.array([(32, 32, 40, 40, 0.9, 1)], dtype=np.float32).T
    (found,) = postprocess.detections(output, prototypes(), 1, SQUARE, Parameters())
    assert found.polygon is not None
    assert found.polygon.min(axis=0).tolist() == [12, 12]
    assert found.polygon.max(axis=0) == pytest.approx([31, 51], abs=1)


def test_an_object_without_a_mask_is_left_out() -> None:
    output = np.array([(48, 20, 20, 20, 0.9, 1), (20, 20, 20, 20, 0.8, 1)], dtype=np.float32).T
    found = postprocess.detections(output, prototypes(), 1, SQUARE, Parameters())
    assert [round(detection.score, 3) for detection in found] == [0.8]


def test_class_by_class_the_same_remain_as_all_together() -> None:
    random = np.random.default_rng(5)
    centres, sides = random.uniform(10, 54, (300, 2)), random.uniform(4, 20, (300, 2))
    scores = random.uniform(0, 1, (300, 7))
    output = np.column_stack([centres, sides, scores]).astype(np.float32).T
    parameters = Parameters(confidence=0.3, iou=0.4)
    found = postprocess.detections(output, None, 7, SQUARE, parameters)

    corners = np.column_stack([centres - sides / 2, sides]).astype(np.float32)
    together = cv2.dnn.NMSBoxesBatched(
        corners, scores.max(axis=1).astype(np.float32), scores.argmax(axis=1).astype(np.int32), 0.3, 0.4
    )
    expected = [(int(scores[place].argmax()), pytest.approx(scores[place].max())) for place in together]
    assert 20 < len(expected) < 300
    assert [(one.class_index, one.score) for one in found] == expected
