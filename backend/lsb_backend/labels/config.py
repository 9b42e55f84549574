"""A project's label config: which controls there are, on which image, with which labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree

from lsb_backend.labels.kinds import LABEL_TAGS, TASK_TAGS
from lsb_backend.labels.shorten import first_of, shortened
from lsb_crds.errors import UserError

MAXIMUM_BYTES = 1024 * 1024
LONGEST_REASON = 400


class LabelConfigError(UserError):
    """A label config that cannot be read, or in which the model has nothing to fill in."""


@dataclass(frozen=True, slots=True)
class Label:
    """One label as it stands in results (its alias, if it has one) and the classes that mean it."""

    name: str
    predicted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Control:
    """A control tag on an image; `data_key` is the key in the task's data that holds the image."""

    name: str
    to_name: str
    tag: str
    data_key: str
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class UnusableControl:
    """A control tag that no model of ours can fill, and why."""

    name: str
    tag: str
    reason: str


@dataclass(frozen=True, slots=True)
class LabelConfig:
    """The controls of a project in the order of its label config."""

    controls: tuple[Control, ...]
    unusable: tuple[UnusableControl, ...] = ()


@lru_cache(maxsize=32)
def parse(xml: str) -> LabelConfig:
    """Read a label config as Label Studio sends it with every request.

    Raises LabelConfigError if it is too large, no well-formed XML, declares entities, or uses a name twice.
    """
    root = _root(xml)
    elements = list(root.iter())
    controls = [element for element in elements if "toName" in element.attrib]
    targets = {name.strip() for control in controls for name in control.attrib["toName"].split(",")}
    objects = _by_name(
        [element for element in elements if "toName" not in element.attrib and element.get("name") in targets]
    )
    _by_name([control for control in controls if control.get("name")])
    repeated = _repeated(root)
    read = [
        UnusableControl(
            control.get("name", ""), control.tag, "is in a <Repeater>, and a task needs one image"
        )
        if control in repeated
        else _control(control, objects)
        for control in controls
    ]
    return LabelConfig(
        controls=tuple(control for control in read if isinstance(control, Control)),
        unusable=tuple(control for control in read if isinstance(control, UnusableControl)),
    )


def usable(config: LabelConfig, task: str) -> tuple[Control, ...]:
    """The controls that a model of `task` (as in `model.task`) fills; all others are left alone.

    Raises LabelConfigError if there is none, with what the config has and what it needs.
    """
    tags = TASK_TAGS.get(task)
    if tags is None:
        served = ", ".join(TASK_TAGS)
        raise LabelConfigError(
            f"model.task {task!r} is not served by this release; set model.task to one of: {served}."
        )
    controls = tuple(control for control in config.controls if control.tag in tags)
    if not controls:
        raise LabelConfigError(_nothing_usable(config, task, tags))
    return controls


def _root(xml: str) -> Element:
    if len(xml) > MAXIMUM_BYTES or len(xml.encode(errors="replace")) > MAXIMUM_BYTES:
        raise LabelConfigError(
            f"The label config is larger than {MAXIMUM_BYTES // 1024} KiB; take its long lists out of it."
        )
    try:
        root: Element = ElementTree.fromstring(xml)
    except ParseError as error:
        raise LabelConfigError(
            f"The label config is not well-formed XML ({error}); correct it in the project's settings."
        ) from None
    except ValueError as error:
        raise LabelConfigError(
            f"The label config is refused ({type(error).__name__}): entities and characters "
            "outside Unicode are not allowed in it; remove them."
        ) from None
    return root


def _by_name(elements: Sequence[Element]) -> dict[str, Element]:
    named: dict[str, Element] = {}
    for element in elements:
        name = element.attrib["name"]
        if name in named:
            raise LabelConfigError(
                f"The label config uses the name {shortened(name)!r} twice "
                f"(<{shortened(named[name].tag)}> and <{shortened(element.tag)}>); "
                "give each tag a name of its own."
            )
        named[name] = element
    return named


def _repeated(root: Element) -> set[Element]:
    """What Label Studio makes anew for each item of a list in the task, under other names than in the XML."""
    found: set[Element] = set()
    for repeater in root.iter("Repeater"):
        # One inside of another is passed over, or deep nesting would take for ever.
        if repeater not in found:
            found.update(repeater.iter())
    return found


def _control(element: Element, objects: Mapping[str, Element]) -> Control | UnusableControl:
    name, to_name = element.get("name", ""), element.attrib["toName"].strip()
    labels = _labels(element)
    reason = _reason_against(element, labels, objects.get(to_name))
    if reason:
        return UnusableControl(name, element.tag, reason)
    data_key = objects[to_name].attrib["value"].strip().removeprefix("$")
    return Control(name, to_name, element.tag, data_key, labels)


def _reason_against(control: Element, labels: Sequence[Label], target: Element | None) -> str | None:
    to_name = shortened(control.attrib["toName"])
    if not control.get("name"):
        return "has no name"
    if "," in control.attrib["toName"]:
        return f"points at several tags ({to_name})"
    if target is None:
        return f'points at a tag that is not there (toName="{to_name}")'
    if target.tag != "Image":
        return f"is on a <{shortened(target.tag)}>, not on an <Image>"
    if "valueList" in target.attrib:
        return "is on an <Image> with several pages (valueList); one image for each task is needed"
    value = target.get("value", "").strip()
    if not value.startswith("$") or len(value) == 1:
        value = shortened(value)
        return f'is on an <Image> that names no key of the task (value="{value}"; it must be like "$image")'
    if control.tag in LABEL_TAGS and not labels:
        return "lists no labels of its own"
    return None


def _labels(control: Element) -> tuple[Label, ...]:
    labels: dict[str, Label] = {}
    for element in control.iter():
        value = element.get("value", "").strip()
        name = element.get("alias", "").strip() or value
        if element.tag in ("Label", "Choice") and name:
            labels.setdefault(name, Label(name, _predicted(element, name, value)))
    return tuple(labels.values())


def _predicted(element: Element, name: str, value: str) -> tuple[str, ...]:
    listed = tuple(part.strip() for part in element.get("predicted_values", "").split(",") if part.strip())
    if listed:
        return listed
    # An alias is often a code ("c1"); the class of a base model is called as the label reads on the screen.
    return (value,) if value and value != name else ()


def _nothing_usable(config: LabelConfig, task: str, tags: Sequence[str]) -> str:
    wanted = " or ".join(f"<{tag}>" for tag in tags)
    found = [f"{_shown(control)}{_fits(control.tag)}" for control in config.controls]
    found += [f"{_shown(control)}, which {control.reason}" for control in config.unusable]
    named = "; ".join(first_of(found, longest=LONGEST_REASON)) or "no control tag at all"
    return (
        f"The label config has nothing that model.task {task!r} can fill: it needs {wanted} with labels, "
        f'on an <Image value="$...">, and has {named}. '
        f"Add {wanted} in the project's labeling interface, or change model.task."
    )


def _shown(control: Control | UnusableControl) -> str:
    return f'<{shortened(control.tag)} name="{shortened(control.name)}">'


def _fits(tag: str) -> str:
    tasks = [task for task, tags in TASK_TAGS.items() if tag in tags and task != "dummy"]
    return f" (for model.task {' or '.join(tasks)})" if tasks else ""
