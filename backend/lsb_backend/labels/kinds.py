"""The kinds of annotation there are; a new kind is a file beside this one and a line here."""

from collections.abc import Mapping
from typing import Any, Protocol

from lsb_backend.detection import Detection
from lsb_backend.labels.choices import Choices
from lsb_backend.labels.outline import Outline
from lsb_backend.labels.polygon import PolygonLabels
from lsb_backend.labels.rectangle import RectangleLabels


class Kind(Protocol):
    """One kind of annotation, in both directions."""

    @property
    def tag(self) -> str:
        """The control tag; its lower case is the region's `type` and the key of its labels."""

    @property
    def once(self) -> bool:
        """True for what is said of the whole image rather than of each object."""

    def value(self, detection: Detection, width: int, height: int) -> dict[str, Any] | None:
        """A region's value in percent of an image of `width` x `height` pixels, labels not included.

        None if nothing of the object lies in the image.
        """

    def outline(self, value: Mapping[str, Any], width: int, height: int) -> Outline:
        """A region's value as corner points in fractions of the image, not clipped.

        Raises RegionError for a value that nothing can be learned from.
        """


KINDS: tuple[Kind, ...] = (RectangleLabels(), PolygonLabels(), Choices())
LABEL_TAGS = tuple(kind.tag for kind in KINDS)

# Which control tags a model of each task fills; tasks that are not here are not served.
TASK_TAGS: Mapping[str, tuple[str, ...]] = {
    "detect": ("RectangleLabels",),
    "segment": ("PolygonLabels",),
    "dummy": LABEL_TAGS,
}


def kind_of(tag: str) -> Kind:
    """The kind of annotation that a control tag makes. Raises KeyError for a tag outside `LABEL_TAGS`."""
    return {kind.tag: kind for kind in KINDS}[tag]
