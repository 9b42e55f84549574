"""ultralytics' validators for a model whose classes are not those of the dataset."""

from collections.abc import Mapping
from typing import Any

import torch
from ultralytics.models.yolo.detect import DetectionValidator
from ultralytics.models.yolo.segment import SegmentationValidator
from ultralytics.utils.metrics import ConfusionMatrix


class _Translated:
    """Renames what the model predicts to the dataset's classes and drops what is none of them.

    ultralytics alone would compare class numbers, whatever they are called, and take names from the model.
    """

    def translate(self, classes: Mapping[int, int]) -> None:
        """Set the dataset's class by the model's; a class that is not in it means none."""
        table = torch.full((max(classes, default=0) + 1,), -1)
        for predicted, meant in classes.items():
            table[predicted] = meant
        self._table = table

    def init_metrics(self, model: Any) -> None:
        super().init_metrics(model)  # type: ignore[misc]
        self.names = self.data["names"]  # type: ignore[attr-defined]
        self.metrics.names = self.names  # type: ignore[attr-defined]
        self.confusion_matrix = ConfusionMatrix(names=self.names)

    def postprocess(self, predictions: Any) -> list[dict[str, torch.Tensor]]:
        return [self._translated(found) for found in super().postprocess(predictions)]  # type: ignore[misc]

    def _translated(self, found: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        table = self._table.to(found["cls"].device)
        predicted = found["cls"].long()
        known = predicted < len(table)
        meant = torch.where(known, table[predicted.clamp(max=len(table) - 1)], -1)
        kept = meant >= 0
        return {name: values[kept] for name, values in found.items()} | {
            "cls": meant[kept].to(found["cls"].dtype)
        }


class TranslatedDetectionValidator(_Translated, DetectionValidator):  # type: ignore[misc]
    """For boxes."""


class TranslatedSegmentationValidator(_Translated, SegmentationValidator):  # type: ignore[misc]
    """For boxes and masks."""


VALIDATORS: Mapping[str, Any] = {
    "detect": TranslatedDetectionValidator,
    "segment": TranslatedSegmentationValidator,
}
