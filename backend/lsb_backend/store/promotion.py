"""Which version serves, and how it came to: the contents of `promoted.json` and its transitions."""

import math
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal, TypedDict

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from lsb_crds.errors import UserError


def _finite_or_none(value: float | None) -> float | None:
    # A diverged training is judged by NaN, for which JSON has no word.
    return value if value is not None and math.isfinite(value) else None


Figure = Annotated[float | None, AfterValidator(_finite_or_none)]


class Verdict(StrEnum):
    """What was decided about a version."""

    PROMOTED = "promoted"
    REJECTED = "rejected"
    ROLLED_BACK = "rolled-back"
    AWAITING_APPROVAL = "awaiting-approval"


class Grounds(TypedDict, total=False):
    """Why a verdict was given: a sentence, and the gate's metric with both figures."""

    reason: str
    metric: str
    candidate: float
    served: float


class Decision(BaseModel):
    """A verdict with its grounds: `candidate` and `served` are the figures of the gate's `metric`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    version: str
    verdict: Verdict
    at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    reason: str = ""
    metric: str | None = None
    candidate: Figure = None
    served: Figure = None


class Promotion(BaseModel):
    """The truth about what serves. Every transition returns a new one, or this one if nothing changes."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    format: Literal[1] = 1
    promoted: str | None = Field(default=None, description="the version that serves unless one is pinned")
    previous: str | None = Field(default=None, description="what a roll-back returns to")
    pinned: str | None = None
    history: tuple[Decision, ...] = ()

    def verdict(self, version: str) -> Verdict | None:
        """The last verdict on `version`."""
        return next((entry.verdict for entry in reversed(self.history) if entry.version == version), None)

    def awaiting(self) -> str | None:
        """The newest candidate, if it waits for approval: each one takes the place of those before it."""
        candidates = (Verdict.PROMOTED, Verdict.AWAITING_APPROVAL)
        newest = next((entry for entry in reversed(self.history) if entry.verdict in candidates), None)
        waits = newest is not None and self.verdict(newest.version) is Verdict.AWAITING_APPROVAL
        return newest.version if newest is not None and waits else None

    def has(self, version: str, verdict: Verdict) -> bool:
        """Whether `verdict` was ever given on `version`."""
        return any(entry.version == version and entry.verdict is verdict for entry in self.history)


def decide(promotion: Promotion, decision: Decision) -> Promotion:
    """Add a decision; the same verdict on the same version a second time changes nothing.

    Raises UserError for a decision that contradicts an earlier one.
    """
    if promotion.has(decision.version, decision.verdict):
        return promotion
    _refuse_contradiction(promotion, decision)
    added = promotion.model_copy(update={"history": (*promotion.history, decision)})
    match decision.verdict:
        case Verdict.PROMOTED:
            return added.model_copy(update={"promoted": decision.version, "previous": promotion.promoted})
        case Verdict.ROLLED_BACK:
            return _without(added, decision.version)
        case _:
            return added


def anew(version: str) -> Promotion:
    """A new record in place of one that is lost: `version` is promoted, and nothing is known of any other."""
    reason = "pinned while promoted.json was missing"
    return decide(Promotion(), Decision(version=version, verdict=Verdict.PROMOTED, reason=reason))


def pin(promotion: Promotion, version: str | None) -> Promotion:
    """Serve `version` whatever is promoted; None serves the promoted one again."""
    return promotion.model_copy(update={"pinned": version})


def _refuse_contradiction(promotion: Promotion, decision: Decision) -> None:
    version, verdict = decision.version, decision.verdict
    if verdict is Verdict.PROMOTED and promotion.has(version, Verdict.ROLLED_BACK):
        raise UserError(f"version {version} was rolled back and is not promoted again: pin it to serve it")
    if verdict in (Verdict.REJECTED, Verdict.AWAITING_APPROVAL) and promotion.has(version, Verdict.PROMOTED):
        raise UserError(f"version {version} was promoted already: roll it back instead")
    if verdict is Verdict.ROLLED_BACK and promotion.promoted == version and not _standing(promotion, version):
        raise UserError(
            f"version {version} cannot be rolled back: no earlier version was promoted, train a better one"
        )


def _without(promotion: Promotion, version: str) -> Promotion:
    """Take `version` out of every place it could be chosen from."""
    standing = _standing(promotion, version)
    promoted = promotion.promoted
    if promoted == version:
        promoted = promotion.previous if promotion.previous in standing else standing[-1]
    older = [name for name in standing if name != promoted]
    previous = promotion.previous if promotion.previous in older else (older[-1] if older else None)
    pinned = None if promotion.pinned == version else promotion.pinned
    return promotion.model_copy(update={"promoted": promoted, "previous": previous, "pinned": pinned})


def _standing(promotion: Promotion, version: str) -> list[str]:
    """Versions other than `version` that were promoted and not rolled back, oldest first."""
    return [
        entry.version
        for entry in promotion.history
        if entry.verdict is Verdict.PROMOTED
        and entry.version != version
        and not promotion.has(entry.version, Verdict.ROLLED_BACK)
    ]
