"""How much is measured."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Amount:
    """How often, and how much of everything."""

    tasks: int = 64
    rounds: int = 5
    calls: int = 60
    """Single-task requests of each caller in a round."""
    starts: int = 5
    overhead_calls: int = 200
    dataset_tasks: int = 1000
    dataset_rounds: int = 2
    training_images: int = 64
    epochs: int = 10
    training_rounds: int = 2
    health_calls: int = 1000


# Shows that everything runs, and nothing more: the figures of so few calls mean little.
QUICK = Amount(
    tasks=8,
    rounds=1,
    calls=4,
    starts=1,
    overhead_calls=20,
    dataset_tasks=40,
    dataset_rounds=1,
    training_images=8,
    epochs=2,
    training_rounds=1,
    health_calls=30,
)


@dataclass(frozen=True, slots=True)
class Options:
    """What a run was asked for; `url` is another server to measure in place of ours."""

    amount: Amount
    folder: Path
    quick: bool = False
    url: str | None = None
    authorization: str | None = None
