"""Turns a network's raw numbers into detections, as ultralytics does, without torch."""

import cv2
import numpy as np
from numpy.typing import NDArray

from lsb_backend.detection import Detection, Parameters
from lsb_backend.runtime.preprocess import Letterbox

Floats = NDArray[np.float32]
# As many candidates as ultralytics hands to the suppression; beyond them time grows and nothing is gained.
_MAXIMUM_CANDIDATES = 30000


def detections(
    output: Floats, prototypes: Floats | None, classes: int, letterbox: Letterbox, parameters: Parameters
) -> list[Detection]:
    """Detections in one image, best first, in its own pixels.

    `output` has shape (4 + classes + coefficients, anchors), or (objects, 6 + coefficients) if the network
    suppresses overlaps itself; `prototypes` (coefficients, height, width) come with segmentation only.
    """
    coefficients = 0 if prototypes is None else prototypes.shape[0]
    rows = (
        _suppressed(output[:, : 6 + coefficients], parameters.confidence)
        if is_end_to_end(output.shape, classes, coefficients)
        else _suppress(output, classes, parameters)
    )[: parameters.max_detections]
    boxes = _to_original(rows[:, :4], letterbox)
    found = []
    for row, box in zip(rows, boxes, strict=True):
        outline = None
        if prototypes is not None:
            outline = _outline(_mask(row, prototypes, letterbox.padded), letterbox)
            if outline is None:
                continue
        if box[2] > box[0] and box[3] > box[1]:
            left, top, right, bottom = (float(edge) for edge in box)
            found.append(Detection(int(row[5]), float(row[4]), (left, top, right, bottom), outline))
    return found


def is_end_to_end(shape: tuple[int, ...], classes: int, coefficients: int) -> bool:
    """Whether an output of this shape (per image) is already free of overlaps.

    Raises ValueError for a shape that fits neither form, as with another number of classes.
    """
    if shape[0] == 4 + classes + coefficients:
        return False
    if shape[1] == 6 + coefficients:
        return True
    raise ValueError(f"it finds {shape[0] - 4 - coefficients} classes where {classes} are expected")


def _suppressed(rows: Floats, confidence: float) -> Floats:
    return rows[rows[:, 4] > confidence]


def _suppress(output: Floats, classes: int, parameters: Parameters) -> Floats:
    """Rows (left, top, right, bottom, score, class, coefficients…) that remain, best first."""
    scores = output[4 : 4 + classes]
    best = scores.max(axis=0)
    kept = np.flatnonzero((best > parameters.confidence) & np.isfinite(output[:4]).all(axis=0))
    kept = kept[np.argsort(-best[kept], kind="stable")[:_MAXIMUM_CANDIDATES]]
    if not kept.size:
        return np.empty((0, 6 + output.shape[0] - 4 - classes), dtype=np.float32)
    centre, size = output[:2, kept].T, output[2:4, kept].T
    corner = centre - size / 2
    indices = scores[:, kept].argmax(axis=0)
    boxes = np.concatenate([corner, size], axis=1)
    # Class by class: the time grows with the square of the number, and only boxes of one class matter.
    chosen = [
        places[_apart(boxes[places], best[kept[places]], parameters)]
        for places in (np.flatnonzero(indices == index) for index in np.unique(indices))
    ]
    rows = np.column_stack([corner, corner + size, best[kept], indices, output[4 + classes :, kept].T])
    return np.asarray(rows[np.sort(np.concatenate(chosen))], dtype=np.float32)


def _apart(boxes: Floats, scores: Floats, parameters: Parameters) -> NDArray[np.intp]:
    """Places of the boxes (left, top, width, height) that no better one overlaps too much."""
    places = cv2.dnn.NMSBoxes(boxes, scores, parameters.confidence, parameters.iou)  # type: ignore[arg-type]  # its stubs leave arrays out
    return np.asarray(places, dtype=np.intp).reshape(-1)


def _to_original(points: Floats, letterbox: Letterbox) -> Floats:
    """Move (x, y) pairs from the padded to the original picture and keep them inside it."""
    pairs = points.reshape(-1, 2)
    gain = np.array(letterbox.gain[::-1], dtype=np.float32)
    moved = (pairs - np.array([letterbox.left, letterbox.top], dtype=np.float32)) / gain
    limit = np.array(letterbox.original[::-1], dtype=np.float32)
    return np.asarray(np.clip(moved, 0, limit), dtype=np.float32).reshape(points.shape)


def _mask(row: Floats, prototypes: Floats, padded: tuple[int, int]) -> NDArray[np.uint8]:
    """The object's mask of shape `padded`, cut to its box. Source: ultralytics.utils.ops.process_mask."""
    height, width = padded
    logits = np.tensordot(row[6:], prototypes, axes=1)
    mask = np.asarray(cv2.resize(logits, (width, height), interpolation=cv2.INTER_LINEAR) > 0, dtype=np.uint8)
    left, top, right, bottom = np.ceil(row[:4]).astype(int)
    cut = np.zeros_like(mask)
    area = slice(max(top, 0), max(bottom, 0)), slice(max(left, 0), max(right, 0))
    cut[area] = mask[area]
    return cut


def _outline(mask: NDArray[np.uint8], letterbox: Letterbox) -> Floats | None:
    """The largest connected part's outline, of shape (points, 2); None where it has no area."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = max(contours, key=cv2.contourArea, default=None)
    if largest is None or len(largest) < 3:
        return None
    return _to_original(largest.reshape(-1, 2).astype(np.float32), letterbox)
