"""A condition before it has a type and a time: what is so, and why."""

from dataclasses import dataclass
from typing import Literal

from lsb_operator.facts import Facts
from lsb_operator.failures.failure import Failure
from lsb_operator.reasons import Reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a condition holds, with its reason and a message in sentences."""

    status: Literal["True", "False", "Unknown"]
    reason: Reason
    message: str


def failed(failure: Failure) -> Verdict:
    """The verdict of a composite condition: its first failing part speaks for it."""
    return Verdict("False", failure.reason, failure.message)


def reported(facts: Facts, kind: str) -> Verdict | None:
    """The verdict that the status has for a condition; None without one of this release's reasons."""
    for one in facts.status.get("conditions") or []:
        reason = next((known for known in Reason if known == one.get("reason")), None)
        if one.get("type") == kind and reason is not None:
            return Verdict(one["status"], reason, one["message"])
    return None
