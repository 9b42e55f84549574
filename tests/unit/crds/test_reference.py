"""The reference for people: fresh, and with every field that the API server knows."""

from pathlib import Path

import pytest

from lsb_crds.crd import definition, resources
from lsb_crds.reference import reference
from lsb_crds.structural import Schema

PAGE = Path(__file__).parents[3] / "docs" / "reference.md"


def test_the_page_is_fresh() -> None:
    again = "make it anew: python -m lsb_crds.reference docs/reference.md"
    assert PAGE.read_text(encoding="utf-8") == reference(), again


@pytest.mark.parametrize("kind", ["LabelStudioBackend", "LabelStudioTraining"])
def test_every_field_has_a_row_below_its_object(kind: str) -> None:
    (resource,) = [one for one in resources() if one.model.__name__ == kind]
    schema = definition(resource)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    page = reference().split(f"## {kind}\n")[1].split("\n## ")[0]
    sections = {part.split("\n")[0]: part for part in page.split("### ")[1:]}
    for path, fields in objects("spec", schema["properties"]["spec"]):
        rows = [line for line in sections[path].splitlines() if line.startswith("| `")]
        assert len(rows) == len(fields)
        for row, (name, field) in zip(rows, fields.items(), strict=True):
            assert row.startswith(f"| `{name}` |")
            assert row.count(" | ") == 3, "a cell has a bar of its own"
            assert "description" in field


def objects(path: str, schema: Schema) -> list[tuple[str, Schema]]:
    if schema.get("type") == "array":
        return objects(f"{path}[]", schema["items"])
    if "properties" not in schema or "x-kubernetes-preserve-unknown-fields" in schema:
        return []
    below = [objects(f"{path}.{name}", field) for name, field in schema["properties"].items()]
    return [(path, schema["properties"]), *(one for some in below for one in some)]


def test_what_looks_like_a_tag_is_shown() -> None:
    assert "&lt;name>" in reference()
    assert "<name>" not in reference()
