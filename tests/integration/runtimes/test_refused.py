"""A file that is no model, or another one than its card says, is refused in one line."""

from pathlib import Path

import pytest
from small_networks import CLASSES, TRAINED_SIZE, card

from lsb_backend.runtime.errors import ExportError, ModelError
from lsb_backend.runtime.export import export_onnx
from lsb_backend.runtime.load import load


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
