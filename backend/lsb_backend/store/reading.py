"""Reads the store's files, or says in one line why it cannot."""

import hashlib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from lsb_crds.errors import UserError

ModelType = TypeVar("ModelType", bound=BaseModel)


def read_model(path: Path, model: type[ModelType], advice: str) -> ModelType:
    """The content of a JSON file. Raises UserError with what is wrong in it and the advice."""
    try:
        return model.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise UserError(f"{path}: unreadable ({_first_problem(error)}): {advice}") from error


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_problem(error: OSError | ValidationError) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]
