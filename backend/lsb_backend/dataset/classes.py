"""The classes that a model learns: the labels of its projects."""

from collections.abc import Iterable

from lsb_backend.labels.config import LabelConfigError, parse, usable


def classes(label_configs: Iterable[tuple[int, str]], task: str) -> tuple[str, ...]:
    """Label names in the order of the label configs (project id and XML), each once.

    Names that differ in case alone are one class, spelled as first seen, since matching is blind to case.
    Raises LabelConfigError, with the project named, if a config has nothing that `task` can use.
    """
    names: dict[str, str] = {}
    for project, xml in label_configs:
        try:
            controls = usable(parse(xml), task)
        except LabelConfigError as error:
            raise LabelConfigError(f"Project {project}: {error}") from None
        for control in controls:
            for label in control.labels:
                names.setdefault(label.name.casefold(), label.name)
    return tuple(names.values())
