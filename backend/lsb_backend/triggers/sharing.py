"""Who reads the annotations now, of several replicas: one for all of them."""

from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel


class Counted(BaseModel):
    """A count of annotations, as it is left for the other replicas: `hints` is what was heard before it."""

    hints: int
    annotated: int
    changed: int


@dataclass(frozen=True, slots=True)
class Turn:
    """Whether this replica is to read: it is unless `counted` tells what another one has found meanwhile."""

    counted: Counted | None = None
    hints: int = 0
    lease: Any = None


class Sharing(Protocol):
    """How replicas share the reading of annotations."""

    async def turn(self, hinted: bool, period: float) -> Turn:
        """Wait until it is this replica's turn, or until another one has done it.

        `hinted`: something has changed. Without that, one look every `period` seconds is enough for all.
        """

    async def done(self, turn: Turn, found: Counted | None, period: float) -> None:
        """End one's turn; `found` is left for the others, None where the reading failed."""


class Alone:
    """One replica, or several that know nothing of one another."""

    async def turn(self, hinted: bool, period: float) -> Turn:
        """See Sharing."""
        return Turn()

    async def done(self, turn: Turn, found: Counted | None, period: float) -> None:
        """See Sharing."""
