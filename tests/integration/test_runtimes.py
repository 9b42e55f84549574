"""Every runtime finds what ultralytics itself finds with the same weights."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lsb_backend.detection import Detection, Parameters
from lsb_backend.runtime.base import Runtime
from lsb_backend.runtime.compiled import CompiledModels
from lsb_backend.runtime.errors import ExportError, ModelError
from lsb_backend.runtime.export import export_onnx
from lsb_backend.runtime.load import load
from lsb_backend.runtime.ultralytics_settings import ultralytics_environment
from lsb_backend.store.card import Card

Picture = NDArray[np.uint8]

CLASSES = ["disc", "square"]
PARAMETERS = Parameters(confidence=0.1, iou=0.6, image_size=256, max_detections=50)
TRAINED_SIZE = 128


@pytest.fixture(scope="session")
def photographs() -> list[Picture]:
    """The photographs that come with ultralytics and matplotlib: 1080x810, 720x1280 and 600x512."""
    ultralytics_environment()
    import matplotlib
    from ultralytics.utils import ASSETS

    paths = [*sorted(ASSETS.glob("*.jpg")), Path(matplotlib.get_data_path()) / "sample_data/grace_hopper.jpg"]
    return [np.asarray(cv2.imread(str(path)), dtype=np.uint8) for path in paths]


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory, photographs: list[Picture]) -> dict[str, Path]:
    """Small networks by task that find discs and squares drawn on photographs."""
    from ultralytics import YOLO

    folder = tmp_path_factory.mktemp("trained")
    rng = np.random.default_rng(1)
    for number in range(48):
        save_example(folder, number, cv2.resize(photographs[number % 3], (TRAINED_SIZE, TRAINED_SIZE)), rng)
    (folder / "data.yaml").write_text(f"path: {folder}\ntrain: images\nval: images\nnames: {CLASSES}\n")
    segmenter = YOLO(architecture(folder, "yolov8-seg.yaml"))
    segmenter.train(
        data=folder / "data.yaml",
        project=folder / "runs",
        name="train",
        device="cpu",
        imgsz=TRAINED_SIZE,
        epochs=25,
        batch=8,
        workers=0,
        val=False,
        plots=False,
        optimizer="AdamW",
        lr0=0.005,
        warmup_epochs=0,
        mosaic=0,
        amp=False,
        seed=0,
    )
    paths = {task: folder / task / "weights.pt" for task in ("detect", "segment")}
    for path in paths.values():
        path.parent.mkdir()
    shutil.copy(folder / "runs/train/weights/last.pt", paths["segment"])
    # The heads for boxes are the same in both, so the other network needs no training of its own.
    detector = YOLO(architecture(folder, "yolov8.yaml")).load(paths["segment"])
    detector.model.names = dict(enumerate(CLASSES))
    detector.save(paths["detect"])
    return paths


def architecture(folder: Path, name: str) -> Path:
    """An architecture of ultralytics at half the width of its smallest."""
    from ultralytics.utils import ROOT

    layers = (ROOT / "cfg/models/v8" / name).read_text().partition("backbone:")[2]
    path = folder / name
    path.write_text(f"nc: {len(CLASSES)}\ndepth_multiple: 0.33\nwidth_multiple: 0.125\nbackbone:{layers}")
    return path


def draw(picture: Picture, rng: np.random.Generator) -> list[str]:
    """Draw one to three shapes into the picture; returns their outlines as lines of a label file."""
    height, width = picture.shape[:2]
    lines = []
    for _ in range(rng.integers(1, 4)):
        radius = int(min(height, width) * rng.uniform(0.1, 0.2))
        x, y = int(rng.integers(radius, width - radius)), int(rng.integers(radius, height - radius))
        index = int(rng.integers(2))
        if index == 0:
            cv2.circle(picture, (x, y), radius, (0, 0, 255), -1)
            angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
            points = np.column_stack([x + radius * np.cos(angles), y + radius * np.sin(angles)])
        else:
            cv2.rectangle(picture, (x - radius, y - radius), (x + radius, y + radius), (255, 128, 0), -1)
            points = np.array([(x - radius, y - radius), (x + radius, y - radius), (x + radius, y + radius)])
            points = np.vstack([points, (x - radius, y + radius)])
        lines.append(f"{index} " + " ".join(f"{value:.6f}" for value in (points / (width, height)).ravel()))
    return lines


def save_example(folder: Path, number: int, picture: Picture, rng: np.random.Generator) -> None:
    for name in ("images", "labels"):
        (folder / name).mkdir(exist_ok=True)
    lines = draw(picture, rng)
    cv2.imwrite(str(folder / "images" / f"{number}.png"), picture)
    (folder / "labels" / f"{number}.txt").write_text("\n".join(lines))


@pytest.fixture(scope="session")
def pictures(photographs: list[Picture]) -> list[Picture]:
    """Two hundred pictures of mixed sizes, some of them very wide, some of the same size."""
    rng = np.random.default_rng(7)
    cut = []
    for number in range(200):
        picture = photographs[number % 3].copy()
        draw(picture, rng)
        if number >= 6:
            height, width = picture.shape[:2]
            top, left = int(rng.integers(height // 2)), int(rng.integers(width // 2))
            picture = np.ascontiguousarray(
                picture[top : top + height // 2, left : left + width // 2 + number]
            )
        cut.append(picture)
    return cut


@pytest.fixture(scope="session")
def versions(weights: dict[str, Path]) -> dict[str, Path]:
    """Folders by task with `weights.pt` and `model.onnx`, as the store keeps them."""
    for path in weights.values():
        export_onnx(path, path.parent / "model.onnx", TRAINED_SIZE)
    return {task: path.parent for task, path in weights.items()}


def card(task: str, classes: list[str] | None = None) -> Card:
    return Card(
        task=task,
        classes=classes or CLASSES,
        trained=True,
        version="0-00000000",
        sequence=0,
        sha256="0" * 64,
        created_at=datetime.now(UTC),
    )


class Reference:
    """What ultralytics' own `predict` finds in each picture."""

    def __init__(self, path: Path, pictures: list[Picture]) -> None:
        from ultralytics import YOLO

        model = YOLO(path)
        self.results = [
            model.predict(
                picture,
                conf=PARAMETERS.confidence,
                iou=PARAMETERS.iou,
                imgsz=PARAMETERS.image_size,
                max_det=PARAMETERS.max_detections,
                verbose=False,
            )[0].cpu()
            for picture in pictures
        ]


@pytest.fixture(scope="session")
def reference(weights: dict[str, Path], pictures: list[Picture]) -> Callable[[str], Reference]:
    made: dict[str, Reference] = {}

    def of(task: str) -> Reference:
        return made.setdefault(task, Reference(weights[task], pictures))

    return of


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
    opened = load(versions["detect"], card("detect"), runtime, "f32", 2)
    prepared = [opened.prepare(picture, PARAMETERS) for picture in pictures]
    same = [picture for picture in prepared if picture.shape == prepared[0].shape]
    assert len(same) >= 2
    for picture, expected in zip(same, opened.predict(same, PARAMETERS), strict=True):
        (alone,) = opened.predict([picture], PARAMETERS)
        assert boxes_of(alone) == pytest.approx(boxes_of(expected), abs=0.05)


@pytest.mark.parametrize("runtime", ["torch", "onnx", "openvino"])
def test_pictures_of_other_sizes_beside_it_change_nothing(
    runtime: str, versions: dict[str, Path], pictures: list[Picture]
) -> None:
    opened = load(versions["detect"], card("detect"), runtime, "f32", 2)
    prepared = [opened.prepare(picture, PARAMETERS) for picture in pictures]
    assert len({picture.shape for picture in prepared}) >= 3
    alone = [boxes_of(opened.predict([picture], PARAMETERS)[0]) for picture in prepared]
    with ThreadPoolExecutor(opened.workers) as threads:
        together = list(threads.map(lambda picture: opened.predict([picture], PARAMETERS)[0], prepared))
    for found, expected in zip(together, alone, strict=True):
        assert boxes_of(found) == pytest.approx(expected, abs=0.05)


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


@pytest.mark.parametrize("runtime", ["torch", "onnx", "openvino"])
def test_a_text_file_is_not_a_model(runtime: str, tmp_path: Path) -> None:
    path = tmp_path / file_of(runtime)
    path.write_text("weights? no.")
    with pytest.raises(ModelError, match="not a model") as refused:
        load(tmp_path, card("detect"), runtime, "f32", 2)
    assert_one_line_about(refused.value, path)


@pytest.mark.parametrize("runtime", ["torch", "onnx", "openvino"])
def test_a_truncated_model_is_refused(runtime: str, tmp_path: Path, versions: dict[str, Path]) -> None:
    path = tmp_path / file_of(runtime)
    data = (versions["detect"] / path.name).read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError) as refused:
        load(tmp_path, card("detect"), runtime, "f32", 2)
    assert_one_line_about(refused.value, path)


@pytest.mark.parametrize("runtime", ["torch", "onnx", "openvino"])
def test_a_missing_model_is_named(runtime: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="missing") as refused:
        load(tmp_path, card("detect"), runtime, "f32", 2)
    assert_one_line_about(refused.value, tmp_path / file_of(runtime))


@pytest.mark.parametrize("runtime", ["torch", "onnx", "openvino"])
def test_a_model_of_another_task_is_refused(runtime: str, versions: dict[str, Path]) -> None:
    with pytest.raises(ModelError, match="made for task segment, its card says detect"):
        load(versions["segment"], card("detect"), runtime, "f32", 2)


@pytest.mark.parametrize("runtime", ["torch", "onnx", "openvino"])
@pytest.mark.parametrize("classes", [["disc"], ["square", "disc"], ["disc", "square", "star"]])
def test_a_model_with_other_classes_is_refused(
    runtime: str, classes: list[str], versions: dict[str, Path]
) -> None:
    with pytest.raises(ModelError, match="its classes are disc, square, its card says") as refused:
        load(versions["detect"], card("detect", classes), runtime, "f32", 2)
    assert_one_line_about(refused.value, versions["detect"] / file_of(runtime))


@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
def test_an_export_without_names_is_counted(runtime: str, tmp_path: Path, versions: dict[str, Path]) -> None:
    import onnx

    model = onnx.load(versions["segment"] / "model.onnx")
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ModelError, match="finds 2 classes where 3 are expected"):
        load(tmp_path, card("segment", [*CLASSES, "star"]), runtime, "f32", 2)


def test_weights_that_are_no_model_leave_nothing_behind(tmp_path: Path) -> None:
    weights = tmp_path / "weights.pt"
    weights.write_text("weights? no.")
    with pytest.raises(ExportError) as refused:
        export_onnx(weights, tmp_path / "model.onnx", TRAINED_SIZE)
    assert_one_line_about(refused.value, weights)
    assert [path.name for path in tmp_path.iterdir()] == ["weights.pt"]


def file_of(runtime: str) -> str:
    return "weights.pt" if runtime == "torch" else "model.onnx"


def assert_one_line_about(error: Exception, path: Path) -> None:
    assert str(path) in str(error)
    assert "\n" not in str(error)
    assert len(str(error)) < len(str(path)) + 300
