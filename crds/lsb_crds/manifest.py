"""A manifest file -> the one resource in it, or one line that says what is wrong with the file."""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.contract import API_VERSION, Contract
from lsb_crds.documents import ManifestError, read_documents
from lsb_crds.problem import first_problem, nearest, show
from lsb_crds.structural import structural
from lsb_crds.training import LabelStudioTraining

__all__ = ["ManifestError", "load_backend", "load_training", "parse"]

Resource = TypeVar("Resource", bound=Contract)


def load_backend(path: Path) -> LabelStudioBackend:
    """The LabelStudioBackend in the file; objects of other kinds beside it are for kubectl, and left alone.

    Raises ManifestError with one line: the file, the field's path, what was found and what is allowed.
    """
    return _load(path, LabelStudioBackend)


def load_training(path: Path) -> LabelStudioTraining:
    """The LabelStudioTraining in the file; otherwise as `load_backend`."""
    return _load(path, LabelStudioTraining)


def parse(document: Any, model: type[Resource], source: str) -> Resource:
    """Plain data -> the resource; `source` is what errors begin with. Raises ManifestError."""
    try:
        # Names are those of the contract alone: what is taken here, a cluster takes as well.
        return model.model_validate(document, by_alias=True, by_name=False)
    except ValidationError as error:
        raise ManifestError(f"{source}: {first_problem(error, structural(model))}") from None


def _load(path: Path, model: type[Resource]) -> Resource:
    documents = read_documents(path)
    if not documents:
        raise ManifestError(f"{path}: is empty; it must hold a {model.__name__}")
    for number, document in enumerate(documents, start=1):
        if not isinstance(document, dict):
            which = f" (document {number})" if len(documents) > 1 else ""
            raise ManifestError(
                f"{path}{which}: holds {show(document)} where an object with apiVersion, kind, metadata and "
                "spec must be"
            )
    ours = [document for document in documents if document.get("kind") == model.__name__]
    if len(ours) != 1:
        raise ManifestError(f"{path}: {_not_one(ours, documents, model.__name__)}")
    _check_version(path, ours[0])
    return parse(ours[0], model, str(path))


def _not_one(ours: list[Any], documents: list[Any], kind: str) -> str:
    if ours:
        names = ", ".join(_name(document) for document in ours)
        return (
            f"holds {len(ours)} objects of kind {kind} ({names}); keep one and put the others into own files"
        )
    kinds = [document.get("kind") for document in documents]
    if kinds == [None]:
        return f"kind is missing; must be {kind}"
    found = ", ".join(show(kind) if kind else "an object without kind" for kind in kinds)
    near = next((text for found_kind in kinds if (text := nearest(found_kind, [kind]))), "")
    return f"holds no {kind}, but {found}{near}"


def _name(document: Any) -> str:
    metadata = document.get("metadata")
    return show(metadata.get("name")) if isinstance(metadata, dict) else "without a name"


def _check_version(path: Path, document: Any) -> None:
    found = document.get("apiVersion")
    if found != API_VERSION:
        what = "is missing" if found is None else f"is {show(found)}"
        raise ManifestError(f"{path}: apiVersion {what}; this release supports {API_VERSION}")
