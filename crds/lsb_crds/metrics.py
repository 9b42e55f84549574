"""Which figures of ultralytics' validation exist for which task."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

Metric = Literal[
    "metrics/precision(B)",
    "metrics/recall(B)",
    "metrics/mAP50(B)",
    "metrics/mAP50-95(B)",
    "metrics/precision(M)",
    "metrics/recall(M)",
    "metrics/mAP50(M)",
    "metrics/mAP50-95(M)",
    "metrics/precision(P)",
    "metrics/recall(P)",
    "metrics/mAP50(P)",
    "metrics/mAP50-95(P)",
    "metrics/accuracy_top1",
    "metrics/accuracy_top5",
    "fitness",
]


TASKS_BY_ENDING: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "(B)": ("detect", "segment", "obb", "pose"),
        "(M)": ("segment",),
        "(P)": ("pose",),
        "accuracy_top1": ("classify",),
        "accuracy_top5": ("classify",),
        "fitness": ("detect", "segment", "obb", "classify", "pose", "dummy"),
    }
)


def exists(metric: str, task: str) -> bool:
    """Whether such a model has the metric: (B) is of boxes, (M) of masks, (P) of key points."""
    return any(metric.endswith(end) and task in tasks for end, tasks in TASKS_BY_ENDING.items())
