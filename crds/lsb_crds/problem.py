"""What pydantic found wrong, as one line: the field's path, what was found, what is allowed."""

import difflib
import re
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lsb_crds.structural import Schema

_TYPES = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object (field: value)",
}
_CREDENTIALS = re.compile(r"//[^@/]*@")
_LONGEST = 60


def first_problem(error: ValidationError, schema: Schema) -> str:
    """The first error in one line, and how many more there are.

    A field that does not exist comes first: a typo in a required field is two errors, and it is the cause.
    `schema` is the structural schema of the model that refused.
    """
    details = sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    return describe(details[0], schema) + more


def describe(detail: ErrorDetails, schema: Schema) -> str:
    """One error in one line."""
    location, kind = detail["loc"], detail["type"]
    if location[-1:] == ("[key]",):
        # pydantic points to the entry of a bad key; the key is at fault, so the map is the place.
        location = location[:-2]
    found = show(detail["input"])
    if kind == "rule":
        context = detail["ctx"]
        field = str(context["field"])
        path = field_path(location)
        separator = "" if field.startswith("[") or not field or not path else "."
        return f"{path}{separator}{field}: {context['message']}"
    where = f"{field_path(location)}: "
    if kind == "missing":
        return f"{where}is missing; must be {allowed(at(schema, location))}"
    if kind == "extra_forbidden":
        return where + unknown_field(str(location[-1]), list(at(schema, location[:-1]).get("properties", {})))
    if kind == "form":
        return f"{where}is {found}, {detail['msg']}"
    options = at(schema, location).get("enum", [])
    near = nearest(detail["input"], options)
    return f"{where}is {found}, must be {allowed(at(schema, location))}{near}"


def unknown_field(name: str, fields: Sequence[str]) -> str:
    """Why a field was refused: the nearest one that exists, else all that exist."""
    return f"there is no such field{nearest(name, fields) or '; allowed: ' + ', '.join(fields)}"


def nearest(found: Any, options: Sequence[Any]) -> str:
    """`; did you mean 'x'?` where an option is near to what was found, else nothing."""
    by_lower = {str(option).lower(): str(option) for option in options}
    matches = difflib.get_close_matches(str(found).lower(), by_lower, n=1)
    return f"; did you mean '{by_lower[matches[0]]}'?" if matches else ""


def field_path(location: Sequence[int | str]) -> str:
    """`spec.training.tolerations[0].key`, as people write it."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location]
    return "".join(parts).removeprefix(".")


def at(schema: Schema, location: Sequence[int | str]) -> Schema:
    """The part of a structural schema that describes the field, empty where it does not say."""
    for part in location:
        if isinstance(part, int):
            schema = schema.get("items", {})
        else:
            schema = schema.get("properties", {}).get(part) or schema.get("additionalProperties", {})
    return schema


def allowed(schema: Schema) -> str:
    """What a field may hold, in words."""
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    if schema.get("x-kubernetes-int-or-string"):
        return "a quantity, such as 2, '500m' or '4Gi'"
    limits = [words.format(schema[key]) for key, words in _limits(schema).items() if key in schema]
    return ", ".join([_TYPES.get(schema.get("type", ""), "given"), *limits])


def _limits(schema: Schema) -> dict[str, str]:
    return {
        "minimum": "greater than {}" if schema.get("exclusiveMinimum") else "at least {}",
        "maximum": "less than {}" if schema.get("exclusiveMaximum") else "at most {}",
        "multipleOf": "a multiple of {}",
        "maxLength": "at most {} characters",
        "minItems": "at least {} of them",
        "maxItems": "at most {} of them",
        "maxProperties": "at most {} of them",
    }


def show(value: Any) -> str:
    """What was found, short, on one line, and without a password that a URL may hold."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    text = _CREDENTIALS.sub("//***@", repr(value))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
