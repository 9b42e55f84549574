"""Calls the classes of base weights what the project calls them, so that they keep what they know."""

from collections.abc import Sequence

from lsb_backend.labels.config import Label
from lsb_backend.labels.matching import match


def transfer_names(class_names: Sequence[str], labels: Sequence[Label]) -> dict[int, str]:
    """Class names for weights that are about to learn `labels`, by class index.

    When ultralytics starts from other weights it carries the rows of the classification head over by class
    name (its argument `cls_remap`) and starts the others afresh, whatever was added, removed or reordered.
    It knows nothing of `predicted_values`, so each class that means a label takes that label's name here:
    one class each, preferably the one that is called so. Every other class gets a name that is no label.
    """
    by_class = match(class_names, labels).by_class
    chosen: dict[str, int] = {}
    for index, label in by_class.items():
        if label.name not in chosen or class_names[index].casefold() == label.name.casefold():
            chosen[label.name] = index
    names = {index: f"{name} (class {index}, no label)" for index, name in enumerate(class_names)}
    return names | {index: name for name, index in chosen.items()}
