"""JSON schema of a model -> structural schema, the form of OpenAPI that a CustomResourceDefinition takes."""

import json
from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]

_KEPT = (
    *("description", "type", "enum", "default", "nullable", "required"),
    *("minLength", "maxLength", "minimum", "maximum", "multipleOf"),
    *("minItems", "maxItems", "minProperties", "maxProperties"),
)


def structural(model: type[BaseModel]) -> Schema:
    """The structural schema of a model: references inlined, objects with `default: {}`."""
    schema = model.model_json_schema(by_alias=True)
    return _walk(schema, schema.get("$defs", {}))


def form_rule(node: Schema, subject: str = "self") -> Schema:
    """The rule for a text that has a form: unlike a pattern, it says what is allowed in words.

    `node` is the text in JSON schema, `subject` the text in Common Expression Language.
    """
    matches = f"{subject}.matches({json.dumps(node['pattern'])})"
    either = f"type({subject}) == int || " if node.get("x-kubernetes-int-or-string") else ""
    return {"rule": either + matches, "message": f"must be {node['meaning']}"}


def _walk(node: Schema, definitions: dict[str, Schema]) -> Schema:
    node = _inline(_nullable(_inline(node, definitions)), definitions)
    result = {key: node[key] for key in node if key in _KEPT or key.startswith("x-kubernetes-")}
    result |= _constant(node) | _exclusive_bounds(node)
    if "pattern" in node:
        result["x-kubernetes-validations"] = [form_rule(node)]
    if "items" in node:
        result["items"] = _walk(node["items"], definitions)
    if "properties" in node:
        result["properties"] = {
            name: _property(_walk(value, definitions), name in node.get("required", []))
            for name, value in node["properties"].items()
        }
    elif node.get("type") == "object":
        result = _map(result, node, definitions)
    elif "type" not in node and "x-kubernetes-int-or-string" not in node:
        result["x-kubernetes-preserve-unknown-fields"] = True
    return result


def _inline(node: Schema, definitions: dict[str, Schema]) -> Schema:
    if "$ref" not in node:
        return node
    target = definitions[node["$ref"].rsplit("/", 1)[1]]
    # What stands beside the reference (the field's own description) wins over the model's.
    return target | {key: value for key, value in node.items() if key != "$ref"}


def _nullable(node: Schema) -> Schema:
    if "anyOf" not in node:
        return node
    other: Schema
    (other,) = [option for option in node["anyOf"] if option.get("type") != "null"]
    outer = {key: value for key, value in node.items() if key not in ("anyOf", "default")}
    return other | outer | {"nullable": True}


def _constant(node: Schema) -> Schema:
    return {"enum": [node["const"]]} if "const" in node else {}


def _exclusive_bounds(node: Schema) -> Schema:
    # OpenAPI 3.0 says with a boolean what JSON schema says with a second number.
    bounds = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
    result: Schema = {}
    for exclusive, plain in bounds.items():
        if exclusive in node:
            result |= {plain: node[exclusive], exclusive: True}
    return result


def _property(schema: Schema, required: bool) -> Schema:
    # Defaults inside an absent object are not applied: it is there, unless its presence means something.
    absent = not required and not schema.get("nullable") and "default" not in schema
    return schema | {"default": {}} if absent and schema.get("type") == "object" else schema


def _map(result: Schema, node: Schema, definitions: dict[str, Schema]) -> Schema:
    if "patternProperties" not in node:
        return result | {"additionalProperties": _walk(node.get("additionalProperties", {}), definitions)}
    # A structural schema says nothing of keys: it becomes a rule.
    ((pattern, value),) = node["patternProperties"].items()
    names = node["propertyNames"]
    longest = names["maxLength"]
    key = form_rule({**names, "pattern": pattern}, "key")
    rule = {
        "rule": f"self.all(key, size(key) <= {longest} && {key['rule']})",
        "message": f"every key {key['message']}, of at most {longest} characters",
    }
    rules = [*result.get("x-kubernetes-validations", []), rule]
    return result | {
        "additionalProperties": _walk(value, definitions),
        "x-kubernetes-validations": rules,
    }
