"""Every row of the table gets the same verdict from an API server as from the models."""

import functools
import re
from collections.abc import Iterator
from typing import Any

from manifest_table import table

from lsb_crds.crd import definition, resources
from lsb_crds.structural import Schema

UNKNOWN = re.compile(r'unknown field "([^"]+)"')
KEY = re.compile(r"\[([^\]\d][^\]]*)\]")


def test_same_verdict_about_the_same_field(row: Any, server: Any) -> None:
    problems = server.problems(row)
    if not row.path or row.only == "models":
        assert problems == []
        return
    about_it = [message for field, message in problems if blamed(field, message) == row.path]
    assert about_it, problems
    by_rule = [message for message in about_it if any(rule in message for rule in rules_of_all())]
    assert all(row.reason in message for message in by_rule), by_rule


def test_every_rule_refuses_a_row(server: Any) -> None:
    told = "\n".join(message for row in table() if row.path for _, message in server.problems(row))
    assert [rule for rule in rules_of_all() if rule not in told] == []


def test_every_rule_allows_a_row(server: Any) -> None:
    allowed: set[str] = set()
    for row in table():
        if not row.path:
            allowed |= set(asked(server.stored(row), schema_of(row.kind), updated=row.old is not None))
    assert [rule for rule in rules_of_all() if rule not in allowed] == []


def blamed(field: str, message: str) -> str:
    """The field that is at fault, written as the models write it."""
    unknown = UNKNOWN.search(message)
    return unknown[1] if unknown else KEY.sub(r".\1", field)


@functools.cache
def rules_of_all() -> list[str]:
    """What the rules in the definitions say, each once."""
    return sorted({rule["message"] for kind in ("backend", "training") for rule in rules(schema_of(kind))})


def rules(schema: Schema) -> Iterator[Schema]:
    """Every rule in a schema."""
    yield from schema.get("x-kubernetes-validations", [])
    parts = (*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties"))
    for part in filter(None, parts):
        yield from rules(part)


def asked(value: Any, schema: Schema, updated: bool) -> Iterator[str]:
    """The messages of the rules that a value has met, with the field that they are about in it."""
    for rule in schema.get("x-kubernetes-validations", []):
        field = rule.get("fieldPath", "").removeprefix(".")
        if (updated or "oldSelf" not in rule["rule"]) and ("." in field or not field or field in value):
            yield rule["message"]
    items = value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    for key, part in items:
        inner = schema.get("properties", {}).get(key, schema.get("items", schema.get("additionalProperties")))
        if inner and part is not None:
            yield from asked(part, inner, updated)


@functools.cache
def schema_of(kind: str) -> Schema:
    """The schema of a backend or a training."""
    (resource,) = [resource for resource in resources() if resource.plural == f"labelstudio{kind}s"]
    schema: Schema = definition(resource)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema
