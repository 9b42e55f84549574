"""The CustomResourceDefinitions, made from the models: `python -m lsb_crds.crd crds` writes them."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.contract import GROUP, VERSION
from lsb_crds.structural import Schema, form_rule, structural
from lsb_crds.training import LabelStudioTraining

_HEADER = (
    "# Made from the models in crds/lsb_crds by `python -m lsb_crds.crd crds`: change those, not this.\n"
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of `kubectl get`; a wide one is shown with `-o wide` only."""

    name: str
    path: str
    kind: str = "string"
    wide: bool = False

    def kubernetes(self) -> Schema:
        """One item of `additionalPrinterColumns`."""
        priority = {"priority": 1} if self.wide else {}
        return {"name": self.name, "type": self.kind, "jsonPath": self.path, **priority}


@dataclass(frozen=True, slots=True)
class Resource:
    """A custom resource: its model, and what the schema does not say about it."""

    model: type[BaseModel]
    plural: str
    short_names: tuple[str, ...]
    columns: tuple[Column, ...]
    selectable: tuple[str, ...]
    subresources: Schema

    @property
    def name(self) -> str:
        """The name of the CustomResourceDefinition."""
        return f"{self.plural}.{GROUP}"


def resources() -> tuple[Resource, ...]:
    """The two resources of the contract."""
    age = Column("Age", ".metadata.creationTimestamp", "date")

    scale = {
        "specReplicasPath": ".spec.serving.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }
    backend = Resource(
        model=LabelStudioBackend,
        plural="labelstudiobackends",
        short_names=("lsb", "lsbackend", "lsbackends"),
        columns=(
            Column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
            Column("Phase", ".status.phase"),
            Column("Version", ".status.model.version"),
            Column("Training", ".status.training.phase"),
            Column("Replicas", ".status.replicas", "integer"),
            age,
            Column("URL", ".status.url", wide=True),
            Column("Message", '.status.conditions[?(@.type=="Ready")].message', wide=True),
        ),
        selectable=(".spec.model.task", ".status.phase"),
        subresources={"status": {}, "scale": scale},
    )
    training = Resource(
        model=LabelStudioTraining,
        plural="labelstudiotrainings",
        short_names=("lstraining", "lstrainings"),
        columns=(
            Column("Backend", ".spec.backend"),
            Column("Reason", ".spec.reason"),
            Column("Phase", ".status.phase"),
            Column("Epoch", ".status.progress.epoch", "integer"),
            Column("Version", ".status.result.version"),
            age,
            Column("Message", ".status.message", wide=True),
        ),
        selectable=(".spec.backend", ".spec.reason", ".status.phase"),
        subresources={"status": {}},
    )
    return backend, training


def crd_documents() -> dict[str, str]:
    """File name -> YAML text of each CustomResourceDefinition."""
    return {
        f"{GROUP}_{resource.plural}.yaml": _HEADER
        + yaml.safe_dump(definition(resource), sort_keys=False, allow_unicode=True, width=110)
        for resource in resources()
    }


def definition(resource: Resource) -> Schema:
    """The CustomResourceDefinition of a resource, as plain data."""
    kind = resource.model.__name__
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": resource.subresources,
        "additionalPrinterColumns": [column.kubernetes() for column in resource.columns],
        "selectableFields": [{"jsonPath": path} for path in resource.selectable],
        "schema": {"openAPIV3Schema": _root_schema(resource.model)},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": resource.name},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "singular": kind.lower(),
                "plural": resource.plural,
                "shortNames": list(resource.short_names),
                "categories": ["all"],
            },
            "versions": [version],
        },
    }


def _root_schema(model: type[BaseModel]) -> Schema:
    schema = structural(model)
    properties = schema["properties"]
    for name in ("apiVersion", "kind"):
        properties[name] = {"type": "string", "description": properties[name]["description"]}
    metadata: Any = model.model_fields["metadata"].annotation
    name = metadata.model_json_schema()["properties"]["name"]
    # Of metadata a definition may restrict the name alone, and its rules have to stand outside.
    name_limits = {key: name[key] for key in ("type", "maxLength")}
    properties["metadata"] = {"type": "object", "properties": {"name": name_limits}}
    rule = form_rule(name, "self.metadata.name") | {"fieldPath": ".metadata.name"}
    schema["x-kubernetes-validations"] = [*schema.get("x-kubernetes-validations", []), rule]
    # A status says what was seen: nothing is made up in it.
    properties["status"] = _without_defaults(properties["status"])
    return schema | {"required": ["spec"]}


def _without_defaults(schema: Schema) -> Schema:
    result = {key: value for key, value in schema.items() if key != "default"}
    if "properties" in schema:
        result["properties"] = {
            name: _without_defaults(value) for name, value in schema["properties"].items()
        }
    if "items" in schema:
        result["items"] = _without_defaults(schema["items"])
    return result


def main(folder: Path) -> None:
    """Write the definitions into `folder`."""
    for name, text in crd_documents().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
