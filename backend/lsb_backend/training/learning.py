"""What a model is to learn: the labels of its projects, with the classes of other models that mean them."""

from lsb_backend.dataset.classes import classes
from lsb_backend.dataset.manifest import Export
from lsb_backend.labels.config import Label, LabelConfigError, parse, usable
from lsb_backend.training.errors import DataError


def labels_to_learn(export: Export, task: str) -> tuple[Label, ...]:
    """The labels by class index, in the order of the label configs.

    Raises DataError for a project whose label config has nothing that `task` can fill.
    """
    try:
        names = classes(((project.id, project.label_config) for project in export.projects), task)
    except LabelConfigError as error:
        raise DataError(str(error)) from error
    labels: dict[str, Label] = {}
    for project in export.projects:
        for control in usable(parse(project.label_config), task):
            for label in control.labels:
                labels.setdefault(label.name.casefold(), label)
    return tuple(labels[name.casefold()] for name in names)
