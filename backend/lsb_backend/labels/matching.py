"""Which class of a model means which label of a control."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lsb_backend.labels.config import Label


@dataclass(frozen=True, slots=True)
class LabelMap:
    """Labels by class index, and what on either side stands alone."""

    by_class: Mapping[int, Label]
    unmatched_classes: tuple[str, ...]
    unmatched_labels: tuple[str, ...]


def match(class_names: Sequence[str], labels: Sequence[Label]) -> LabelMap:
    """Match without regard to case: through `predicted_values` first, else by name; the first label wins.

    A model all of whose classes are labels here was trained on these labels, so there the name comes first:
    `predicted_values` speaks of the base model's classes, which may be called like some other label.
    """
    by_name: dict[str, Label] = {}
    by_prediction: dict[str, Label] = {}
    for label in labels:
        by_name.setdefault(label.name.casefold(), label)
        for predicted in label.predicted:
            by_prediction.setdefault(predicted.casefold(), label)
    folded = [name.casefold() for name in class_names]
    trained_here = all(name in by_name for name in folded)
    known = {**by_prediction, **by_name} if trained_here else {**by_name, **by_prediction}
    by_class = {index: known[name] for index, name in enumerate(folded) if name in known}
    matched = {label.name for label in by_class.values()}
    return LabelMap(
        by_class=by_class,
        unmatched_classes=tuple(name for index, name in enumerate(class_names) if index not in by_class),
        unmatched_labels=tuple(label.name for label in labels if label.name not in matched),
    )


def label_for(class_index: int, labels: LabelMap, foreign: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """What a detection of this class is called: at most one label, or None if it is not proposed at all.

    `foreign` is what a class that means no label is called; None where some class of the model means some
    label of the project: then such a class belongs to another control or to nobody.
    """
    label = labels.by_class.get(class_index)
    return foreign if label is None else (label.name,)
