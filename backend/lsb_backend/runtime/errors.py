"""What can be wrong with a model file, in one line each."""

from lsb_crds.errors import UserError


class ModelError(UserError):
    """A version that cannot be served: not a model, damaged, or not what its card says."""


class ExportError(UserError):
    """Weights that cannot be exported."""


class MissingRuntimeError(ModelError):
    """What runs the model is not installed, so that nothing is known about the model."""


def first_line(error: Exception) -> str:
    """What a library says first, short enough for one line of ours."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]
