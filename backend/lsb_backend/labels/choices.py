"""Choices: what is said of the whole image."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lsb_backend.detection import Detection
from lsb_backend.labels.outline import Outline, RegionError


@dataclass(frozen=True, slots=True)
class Choices:
    """One choice for an image. The dummy model fills it; no model of this release learns from it."""

    tag: str = "Choices"
    once: bool = True

    def value(self, detection: Detection, width: int, height: int) -> dict[str, Any] | None:
        """See Kind. The choice itself is the label, so nothing else is to be said."""
        return {}

    def outline(self, value: Mapping[str, Any], width: int, height: int) -> Outline:
        """See Kind. Always a RegionError: a choice has no place in the image."""
        raise RegionError("a choice has no outline")
