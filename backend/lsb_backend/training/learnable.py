"""Which kinds of model a training can make. Loads nothing, so that a server may ask."""

_LEARNABLE = ("detect", "segment")


def untrainable(task: str) -> str | None:
    """Why a model of `model.task` cannot be trained, None if it can."""
    if task in _LEARNABLE:
        return None
    return f"model.task {task} cannot be trained: set it to one of {', '.join(_LEARNABLE)}"
