"""Measures models on the validation data with ultralytics' own validator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lsb_backend.labels.config import Label
from lsb_backend.labels.matching import match


@dataclass(frozen=True, slots=True)
class Validation:
    """What every model of a run is measured on; `image_size` in pixels is the one it is served with."""

    data: Path
    task: str
    labels: Sequence[Label]
    image_size: int
    device: str | None = None


def evaluate(
    model: Path, class_names: Sequence[str], validation: Validation, output: Path, plots: bool = False
) -> dict[str, float]:
    """Figures in 0..1 of a `.pt` or `.onnx` file, by ultralytics' names (`metrics/mAP50-95(B)`, `fitness`).

    Classes are compared through the labels they mean, so any model can be measured, such as base weights.
    Pictures go to `output`.
    """
    from lsb_backend.training.validators import VALIDATORS

    arguments = {
        "model": str(model),
        "data": str(validation.data),
        "task": validation.task,
        "imgsz": validation.image_size,
        # An export is served without torch, so on the CPU, whatever the training runs on.
        "device": "cpu" if model.suffix == ".onnx" else validation.device,
        "plots": plots,
        "mode": "val",
        "split": "val",
        "workers": 0,
        "batch": 4,
    }
    validator = VALIDATORS[validation.task](save_dir=output, args=arguments)
    validator.translate(class_table(class_names, validation.labels))
    figures: Mapping[str, float] = validator()
    return {name: float(value) for name, value in figures.items()}


def class_table(class_names: Sequence[str], labels: Sequence[Label]) -> dict[int, int]:
    """The position among `labels` of what each class means, by class index; without those that mean none."""
    position = {label.name: index for index, label in enumerate(labels)}
    return {index: position[label.name] for index, label in match(class_names, labels).by_class.items()}
