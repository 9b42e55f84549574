"""The YAML documents of a file, read as kubectl reads them, and no more than a manifest can need."""

import math
import re
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from lsb_crds.errors import UserError

MAXIMUM_BYTES = 1024 * 1024
MAXIMUM_NODES = 20_000
MAXIMUM_DEPTH = 64
_TAG = "tag:yaml.org,2002:"


class ManifestError(UserError):
    """A manifest that cannot be used: the file, where in it, what was found, and what is allowed."""


def read_documents(path: Path) -> list[Any]:
    """Every document of the file that is not empty, as plain data.

    Raises ManifestError where the file cannot be read, is greater than 1 MiB or is not sound YAML.
    """
    text = _read(path)
    try:
        _bound(text)
        return [document for document in yaml.load_all(text, Loader=_Loader) if document is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ManifestError(f"{path}{where}: {_one_line(error.problem or error.context)}") from None
    except yaml.YAMLError as error:
        raise ManifestError(f"{path}: not YAML: {_one_line(error)}") from None
    except ValueError as error:
        raise ManifestError(f"{path}: a value is not what its tag or form says: {_one_line(error)}") from None


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAXIMUM_BYTES + 1)
    except FileNotFoundError:
        raise ManifestError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise ManifestError(f"{path}: is a folder; name the manifest in it") from None
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > MAXIMUM_BYTES:
        raise ManifestError(f"{path}: is greater than 1 MiB, which no manifest needs; is it the right file?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from None


def _bound(text: str) -> None:
    """Refuse what would grow or recurse without end, before anything is built from it."""
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = [(None, 0)]
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, 1))
            if len(open_nodes) > MAXIMUM_DEPTH:
                raise _refusal(f"nested deeper than {MAXIMUM_DEPTH} levels", event)
            continue
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, size = open_nodes.pop()
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise _refusal(f"the alias *{event.anchor} has no anchor before it", event)
            anchor, size = None, sizes[event.anchor]
        elif isinstance(event, yaml.ScalarEvent):
            anchor, size = event.anchor, 1
        else:
            continue
        if anchor is not None:
            sizes[anchor] = size
        parent, total = open_nodes.pop()
        open_nodes.append((parent, total + size))
        if total + size > MAXIMUM_NODES:
            raise _refusal(f"more than {MAXIMUM_NODES} values, aliases included", event)


def _refusal(problem: str, place: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)


def _one_line(text: object) -> str:
    return " ".join(str(text).split())


def _resolvers() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    """First character -> what a text without quotes may be instead of text; the first match wins."""
    forms = (
        ("bool", r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF", "yYnNtTfFoO"),
        ("int", r"[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|0|[1-9][0-9_]*)", "-+0123456789"),
        ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+0123456789."),
        ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+."),
        ("merge", r"<<", "<"),
        ("null", r"~|null|Null|NULL", "~nN"),
    )
    # Nothing at all is null, and has no first character.
    result = {"": [(f"{_TAG}null", re.compile("^$"))]}
    for name, pattern, firsts in forms:
        for first in firsts:
            result.setdefault(first, []).append((f"{_TAG}{name}", re.compile(f"^(?:{pattern})$")))
    return result


class _Loader(yaml.SafeLoader):
    """Safe YAML with kubectl's idea of a number, without dates, and without repeated keys."""

    # PyYAML takes 1e-3 for text, 12:30 for 750 and 2026-01-31 for a date; kubectl does none of it.
    yaml_implicit_resolvers = _resolvers()

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping, if its keys are text and none is there twice."""
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = self._key(key_node)
            if key in seen:
                raise _refusal(f"the key {key!r} is there twice", key_node)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)

    def _key(self, node: Node) -> str:
        if node.tag not in (f"{_TAG}str", f"{_TAG}merge"):
            found = node.value if isinstance(node, ScalarNode) else "a list or mapping"
            raise _refusal(f"a key must be text, and {found} is not; put it in quotes", node)
        return str(node.value)

    def construct_yaml_float(self, node: ScalarNode) -> float:
        """The number, if it is one: JSON knows neither infinity nor NaN."""
        number = super().construct_yaml_float(node)
        if not math.isfinite(number):
            raise _refusal(f"{node.value} is not a number that a manifest can hold", node)
        return number

    yaml_constructors = {**yaml.SafeLoader.yaml_constructors, f"{_TAG}float": construct_yaml_float}  # noqa: RUF012
