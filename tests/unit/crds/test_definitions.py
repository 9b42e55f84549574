"""The CustomResourceDefinitions: fresh, small, documented, bounded, with the models' own defaults."""

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.crd import Resource, crd_documents, definition, main, resources
from lsb_crds.manifest import parse
from lsb_crds.structural import Schema
from lsb_crds.training import LabelStudioTraining

FOLDER = Path(__file__).parents[3] / "crds"
MODELS = {"backend": LabelStudioBackend, "training": LabelStudioTraining}


@functools.cache
def schema_of(model: type[BaseModel]) -> Schema:
    (resource,) = [resource for resource in resources() if resource.model is model]
    return definition(resource)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def fields(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every field below a schema, with its path."""
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from fields(field, f"{path}.{name}")
    if "items" in schema:
        yield from fields(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from fields(schema["additionalProperties"], f"{path}{{}}")


def our_fields() -> list[tuple[str, Schema]]:
    return [
        (f"{model.__name__}{path}", field)
        for model in MODELS.values()
        for name in ("spec", "status")
        for path, field in fields(schema_of(model)["properties"][name], f".{name}")
    ]


def with_defaults(value: Any, schema: Schema) -> Any:
    """What an API server stores: a field that is absent, or null without being nullable, gets its default."""
    if isinstance(value, list):
        return [with_defaults(item, schema.get("items", {})) for item in value]
    if not isinstance(value, dict):
        return value
    result = dict(value)
    for name, field in schema.get("properties", {}).items():
        if result.get(name) is None and not field.get("nullable"):
            result.pop(name, None)
            if "default" in field:
                result[name] = field["default"]
        if name in result:
            result[name] = with_defaults(result[name], field)
    return result


def test_committed_files_are_fresh(tmp_path: Path) -> None:
    main(tmp_path)
    committed = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.yaml")}
    assert committed == {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}, (
        "run `python -m lsb_crds.crd crds`"
    )


@pytest.mark.parametrize("name", crd_documents())
def test_small_enough_for_client_side_apply(name: str) -> None:
    compact = json.dumps(yaml.safe_load(crd_documents()[name]), separators=(",", ":"))
    assert len(compact) < 100_000


@pytest.mark.parametrize(("path", "field"), our_fields(), ids=[path for path, _ in our_fields()])
def test_field_is_documented_and_bounded(path: str, field: Schema) -> None:
    assert len(field.get("description", "")) >= 10
    kind = field.get("type")
    if kind == "string":
        assert "enum" in field or "maxLength" in field or ".arguments." in path
    if kind == "array":
        assert "maxItems" in field
    if "additionalProperties" in field and not path.endswith("Affinity"):
        assert "maxProperties" in field
    if path.split(".")[1] == "spec" and kind in ("integer", "number"):
        assert "minimum" in field


def test_null_never_hides_another_default() -> None:
    # Null in a manifest is absence to the models: a nullable field with a default would differ in a cluster.
    assert [path for path, field in our_fields() if field.get("nullable") and "default" in field] == []


def test_objects_have_defaults_unless_presence_means_something() -> None:
    without = {
        path.split(".", 1)[1]
        for path, field in our_fields()
        if ".spec" in path and field.get("type") == "object" and field.get("default") is None
    }
    assert {"spec.ingress", "spec.labelStudio.media", "spec.ingress.tls"} <= without
    assert not {"spec.serving", "spec.training.gate", "spec.storage", "spec.redis.resources"} & without


def test_status_has_no_defaults() -> None:
    assert [
        path for path, field in our_fields() if path.split(".")[1] == "status" and "default" in field
    ] == []


def test_defaults_are_those_of_the_models(good_row: Any) -> None:
    model = MODELS[good_row.kind]
    stored = with_defaults(good_row.manifest, schema_of(model))
    assert parse(stored, model, "").spec == parse(good_row.manifest, model, "").spec
    written = parse(stored, model, "").spec.model_dump(by_alias=True, exclude_none=True, mode="json")
    bare = {"apiVersion": 1, "kind": 1, "metadata": {}, "spec": written}
    assert with_defaults(bare, schema_of(model))["spec"] == written


def test_columns_and_scale_point_to_fields_that_exist() -> None:
    for resource in resources():
        known = {path for path, _ in fields(schema_of(resource.model))}
        version = definition(resource)["spec"]["versions"][0]
        paths = [column["jsonPath"] for column in version["additionalPrinterColumns"]]
        paths += [field["jsonPath"] for field in version["selectableFields"]]
        paths += list(version["subresources"].get("scale", {}).values())
        paths = [path for path in paths if not path.startswith((".metadata", ".status.conditions["))]
        assert set(paths) <= known


def backend_resource() -> Resource:
    return resources()[0]


def test_columns_of_a_backend() -> None:
    columns = definition(backend_resource())["spec"]["versions"][0]["additionalPrinterColumns"]
    narrow = [column["name"] for column in columns if "priority" not in column]
    assert narrow == ["Ready", "Phase", "Version", "Training", "Replicas", "Age"]
    assert [column["name"] for column in columns if column.get("priority") == 1] == ["URL", "Message"]


def test_names_of_a_backend() -> None:
    names = definition(backend_resource())["spec"]["names"]
    assert names["shortNames"] == ["lsb", "lsbackend", "lsbackends"]
    assert names["categories"] == ["all"]
    assert names["plural"] == "labelstudiobackends"
