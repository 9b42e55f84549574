"""What was done since the start, in plain numbers that only grow, for whoever reports them."""

from collections import Counter
from dataclasses import dataclass, field

# About the last ten batches decide how fast the model is said to be.
SMOOTHING = 0.2


@dataclass(slots=True)
class Statistics:
    """Counted on the event loop only.

    `outcomes`: tasks by how they ended: "predicted", "untrained", or a word for why they failed.
    `seconds`: time spent by stage, summed over images side by side.
    `images` and `batches`: what went through the model.
    `lookups`: images by how their detections were had, see Sharing.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=lambda: {"fetch": 0.0, "decode": 0.0, "infer": 0.0})
    lookups: Counter[str] = field(default_factory=Counter)
    images: int = 0
    batches: int = 0
    _seconds_per_image: float = 0.0

    def batch(self, images: int, seconds: float) -> None:
        """Note that the model took `seconds` for a batch of `images`."""
        recent = seconds / images
        self._seconds_per_image += (SMOOTHING if self.batches else 1.0) * (recent - self._seconds_per_image)
        self.images += images
        self.batches += 1
        self.seconds["infer"] += seconds

    @property
    def images_per_second(self) -> float:
        """How fast the model is while it works, lately; 0 before its first batch."""
        return 1 / self._seconds_per_image if self._seconds_per_image else 0.0
