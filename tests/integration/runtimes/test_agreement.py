"""Every runtime finds what ultralytics itself finds with the same weights."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from small_networks import CLASSES, PARAMETERS, Picture, Reference, card

from lsb_backend.detection import Detection
from lsb_backend.runtime.base import Runtime
from lsb_backend.runtime.compiled import CompiledModels
from lsb_backend.runtime.load import load


def intersection_over_union(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return shared / (areas - shared)


def filled(outline: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.bool_]:
    mask = np.zeros(shape, dtype=np.uint8)
    cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], 1)
    return mask.astype(bool)


@pytest.mark.parametrize("runtime", ["torch", "onnx", "openvino"])
@pytest.mark.parametrize("task", ["detect", "segment"])
def test_finds_the_same_objects_as_ultralytics(
    task: str,
    runtime: str,
    versions: dict[str, Path],
    pictures: list[Picture],
    reference: Callable[[str], Reference],
) -> None:
    expected = reference(task).results
    assert sum(len(result.boxes) for result in expected) >= 60

    opened = load(versions[task], card(task), runtime, "f32", 2)
    found = look(opened, pictures)
    opened.close()

    assert opened.names == tuple(CLASSES)
    for detections, result in zip(found, expected, strict=True):
        assert [detection.class_index for detection in detections] == result.boxes.cls.int().tolist()
        for detection, box, score in zip(
            detections, result.boxes.xyxy.tolist(), result.boxes.conf.tolist(), strict=True
        ):
            assert intersection_over_union(detection.box, tuple(box)) >= 0.99
            assert detection.score == pytest.approx(score, abs=0.01)
            assert (detection.polygon is not None) == (task == "segment")


@pytest.mark.parametrize("runtime", ["torch", "onnx", "openvino"])
def test_outlines_cover_the_masks_of_ultralytics(
    runtime: str, versions: dict[str, Path], pictures: list[Picture], reference: Callable[[str], Reference]
) -> None:
    found = look(load(versions["segment"], card("segment"), runtime, "f32", 2), pictures)
    for detections, result in zip(found, reference("segment").results, strict=True):
        masks = [] if result.masks is None else result.masks.data.numpy().astype(np.uint8)
        for detection, mask in zip(detections, masks, strict=True):
            assert detection.polygon is not None
            drawn = filled(detection.polygon, result.orig_shape)
            expected = filled(largest_part(mask, result.orig_shape), result.orig_shape)
            assert (drawn & expected).sum() / (drawn | expected).sum() >= 0.97


def largest_part(mask: Picture, shape: tuple[int, int]) -> NDArray[np.float32]:
    """The outline of a mask's largest part, moved to a picture of this shape by ultralytics itself."""
    from ultralytics.utils.ops import scale_coords

    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = max(contours, key=cv2.contourArea).reshape(-1, 2).astype(np.float32)
    return np.asarray(scale_coords(mask.shape, largest, shape))


@pytest.mark.parametrize("runtime", ["torch", "onnx", "openvino"])
def test_a_picture_is_answered_the_same_alone_and_among_others(
    runtime: str, versions: dict[str, Path], pictures: list[Picture]
) -> None:
    opened, prepared = ready(runtime, versions, pictures)
    same = [picture for picture in prepared if picture.shape == prepared[0].shape]
    assert len(same) >= 2
    for picture, expected in zip(same, opened.predict(same, PARAMETERS), strict=True):
        (alone,) = opened.predict([picture], PARAMETERS)
        assert boxes_of(alone) == pytest.approx(boxes_of(expected), abs=0.05)


@pytest.mark.parametrize("runtime", ["torch", "onnx", "openvino"])
def test_pictures_of_other_sizes_beside_it_change_nothing(
    runtime: str, versions: dict[str, Path], pictures: list[Picture]
) -> None:
    opened, prepared = ready(runtime, versions, pictures)
    assert len({picture.shape for picture in prepared}) >= 3
    alone = [boxes_of(opened.predict([picture], PARAMETERS)[0]) for picture in prepared]
    with ThreadPoolExecutor(opened.workers) as threads:
        together = list(threads.map(lambda picture: opened.predict([picture], PARAMETERS)[0], prepared))
    for found, expected in zip(together, alone, strict=True):
        assert boxes_of(found) == pytest.approx(expected, abs=0.05)


def ready(runtime: str, versions: dict[str, Path], pictures: list[Picture]) -> tuple[Runtime, list[Picture]]:
    """A runtime with the detector, and the pictures as it takes them."""
    opened = load(versions["detect"], card("detect"), runtime, "f32", 2)
    return opened, [opened.prepare(picture, PARAMETERS) for picture in pictures]


def look(runtime: Runtime, pictures: list[Picture]) -> list[list[Detection]]:
    """What is found in each picture, one by one."""
    prepared = [runtime.prepare(picture, PARAMETERS) for picture in pictures]
    return [runtime.predict([picture], PARAMETERS)[0] for picture in prepared]


def boxes_of(detections: list[Detection]) -> NDArray[np.float64]:
    return np.array([detection.box for detection in detections])


@pytest.mark.parametrize("task", ["detect", "segment"])
def test_the_quickest_precision_finds_nearly_the_same(
    task: str, versions: dict[str, Path], pictures: list[Picture]
) -> None:
    """Scores of bfloat16 are equal more often, and then another of two overlapping boxes is kept.

    Processors without it compute f32 here, and agree all the more.
    """
    exact = look(load(versions[task], card(task), "openvino", "f32", 2), pictures)
    quick = look(load(versions[task], card(task), "openvino", "auto", 2), pictures)
    sure = [
        (one, answers) for found, answers in zip(exact, quick, strict=True) for one in found if is_sure(one)
    ]
    assert len(sure) >= 200
    again = [one for one, answers in sure if any(is_nearly(one, other) for other in answers)]
    assert len(again) >= 0.95 * len(sure)


def is_sure(detection: Detection) -> bool:
    """Whether its score is so far from the threshold that no rounding can hide it."""
    return detection.score > PARAMETERS.confidence + 0.1


def is_nearly(one: Detection, other: Detection) -> bool:
    same = one.class_index == other.class_index
    return same and intersection_over_union(one.box, other.box) >= 0.7 and abs(one.score - other.score) < 0.1


@pytest.mark.parametrize("task", ["detect", "segment"])
def test_a_kept_compiled_model_answers_the_same_and_a_damaged_one_is_made_anew(
    task: str, versions: dict[str, Path], pictures: list[Picture], tmp_path: Path
) -> None:
    compiled = CompiledModels(tmp_path / "compiled")

    def answers() -> list[NDArray[np.float64]]:
        opened = load(versions[task], card(task), "openvino", "f32", 2, compiled)
        assert opened.names == tuple(CLASSES)
        return [boxes_of(found) for found in look(opened, pictures[:6])]

    first = answers()
    (kept,) = (tmp_path / "compiled").iterdir()
    written = kept.stat().st_ino
    for now, before in zip(answers(), first, strict=True):
        assert now == pytest.approx(before, abs=1e-3)
    assert kept.stat().st_ino == written

    damaged = kept.read_bytes()[:-100]
    kept.write_bytes(damaged)
    for now, before in zip(answers(), first, strict=True):
        assert now == pytest.approx(before, abs=1e-3)
    assert kept.read_bytes() != damaged
