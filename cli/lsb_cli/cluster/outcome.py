"""How a training stands, in one line, and how a program is told by an exit code. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from lsb_crds.results import TrainingPhase

Manifest = dict[str, Any]

EXIT_CODES: Final[Mapping[TrainingPhase, int]] = MappingProxyType(
    {"Succeeded": 0, "Failed": 1, "Rejected": 3, "AwaitingApproval": 4, "Superseded": 5}
)
"""Of the phases in which there is nothing left to wait for; 2 is for a command line that is wrong."""
BAD_DATA: Final = 42
"""As `lsb train -f` ends when the annotations do not suffice."""


def exit_code(training: Manifest) -> int | None:
    """The exit code that says how a training ended; None while it has not."""
    status = training.get("status") or {}
    phase = status.get("phase")
    reasons = [one["reason"] for one in status.get("conditions") or [] if one["type"] == "Succeeded"]
    if phase == "Failed" and "BadData" in reasons:
        return BAD_DATA
    return EXIT_CODES.get(phase) if phase else None


def line(training: Manifest) -> str:
    """Phase and message of a training."""
    status = training.get("status") or {}
    phase, message = status.get("phase") or "Pending", status.get("message")
    figures = _figures(status.get("result") or {})
    return f"{phase}: {message or 'the operator has not seen it yet'}{figures}"


def epochs(training: Manifest) -> tuple[int, int] | None:
    """Finished epochs and epochs at most; None before the first is known."""
    progress = (training.get("status") or {}).get("progress") or {}
    return (progress["epoch"], progress["epochs"]) if progress.get("epochs") else None


def _figures(result: Manifest) -> str:
    candidate, served = result.get("candidate"), result.get("served")
    if candidate is None or served is None:
        return ""
    return f" ({result.get('metric') or 'metric'} {candidate:.3f} against {served:.3f})"
