"""The reference of both resources for people: `python -m lsb_crds.reference docs/reference.md` writes it."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from lsb_crds.contract import API_VERSION
from lsb_crds.crd import definition, resources
from lsb_crds.structural import Schema

_HEAD = f"""\
<!-- Made by `python -m lsb_crds.reference docs/reference.md`. Do not edit. -->

# Reference

Every field of both resources (`{API_VERSION}`), as `kubectl explain lsb.spec` shows them too. A field that is
left out gets the default; where there is none, the description says what its absence means. Sizes are
quantities of Kubernetes, such as `10Gi`.
"""
# Kubernetes' own, and the same for every object.
_WITHOUT_A_LINE = ("apiVersion", "kind", "metadata")


def reference() -> str:
    """The page, as Markdown: a section for each object of a spec or status, a row for each field."""
    parts = [_HEAD]
    for resource in resources():
        schema = definition(resource)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        parts.append(f"## {resource.model.__name__}\n\n{schema['description']}\n")
        for path, section in _sections(schema):
            parts.append(_section(path, section))
    return "\n".join(parts)


def _sections(schema: Schema) -> Iterator[tuple[str, Schema]]:
    for name, field in schema["properties"].items():
        if name not in _WITHOUT_A_LINE:
            yield from _objects(name, field)


def _objects(path: str, schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Every object with fields of its own, at `path` and below."""
    if schema.get("type") == "array":
        yield from _objects(f"{path}[]", schema["items"])
    elif _has_fields(schema):
        yield path, schema
        for name, field in schema["properties"].items():
            yield from _objects(f"{path}.{name}", field)


def _has_fields(schema: Schema) -> bool:
    # An open object declares some fields only to refuse them.
    return "properties" in schema and "x-kubernetes-preserve-unknown-fields" not in schema


def _section(path: str, schema: Schema) -> str:
    required = schema.get("required", [])
    lines = [f"### {path}\n", f"{_text(schema.get('description', ''))}\n"]
    lines += ["| field | type | default | |", "| --- | --- | --- | --- |"]
    lines += [_row(name, field, name in required) for name, field in schema["properties"].items()]
    rules = [rule["message"] for rule in schema.get("x-kubernetes-validations", [])]
    if rules:
        lines += ["", *(f"- Checked: {_text(message)}." for message in rules)]
    return "\n".join(lines) + "\n"


def _row(name: str, field: Schema, required: bool) -> str:
    default = "required" if required else _default(field)
    return f"| `{name}` | {_type(field)} | {default} | {_text(field.get('description', ''))} |"


def _text(words: str) -> str:
    """Words as Markdown shows them: placeholders are no tags, and a bar ends no cell."""
    return words.replace("<", "&lt;").replace("|", "\\|")


def _default(field: Schema) -> str:
    # An object that is there by default is described by its own fields.
    shown = "default" in field and not (_has_fields(field) and field["default"] == {})
    return f"`{json.dumps(field['default'])}`" if shown else ""


def _type(field: Schema) -> str:
    if "enum" in field:
        return " \\| ".join(f"`{value}`" for value in field["enum"])
    if field.get("x-kubernetes-int-or-string"):
        return "quantity"
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    kind = str(field.get("type", "any"))
    bounds = " to ".join(str(field[bound]) for bound in ("minimum", "maximum") if bound in field)
    return f"{kind}, {bounds}" if "minimum" in field and "maximum" in field else kind


def main(path: Path) -> None:
    """Write the page to `path`."""
    path.write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
