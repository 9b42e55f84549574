"""The shape of a failure, and how other programs' words become part of one line."""

import json
from dataclasses import dataclass

from lsb_operator.facts import Terminated
from lsb_operator.reasons import Reason

LONGEST_QUOTE = 600
_FIELDS = {
    "serve": "spec.serving",
    "register": "spec.serving",
    "unregister": "spec.serving",
    "train": "spec.training",
    "prepare": "spec.training",
    "redis": "spec.redis",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """`what` is wrong and where, and the `remedy`: both sentences without a final period.

    `stalled` says that it stays so until a person helps.
    """

    reason: Reason
    what: str
    remedy: str
    stalled: bool = False

    @property
    def message(self) -> str:
        """One line for a condition or an Event."""
        return f"{self.what}. To do: {self.remedy}."


def field_of(component: str) -> str:
    """The part of the spec that describes the pods of a component."""
    return _FIELDS.get(component, "spec")


def one_line(text: str, longest: int = LONGEST_QUOTE) -> str:
    """Somebody else's words on one line, at most `longest` characters, without a final period."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split()).rstrip(".")
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def said(ended: Terminated | None) -> str:
    """What a container of ours left as its termination message; "" where it left nothing readable.

    It is the JSON of a result, or else the tail of the log, of which the last line tells most.
    """
    text = ended.message.strip() if ended else ""
    if not text:
        return ""
    last = text.splitlines()[-1]
    for candidate in (text, last):
        try:
            content = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        message = content.get("message") if isinstance(content, dict) else None
        return one_line(message) if isinstance(message, str) else ""
    # A result that was cut off is of no use to a person.
    return "" if last.lstrip().startswith("{") else one_line(last.removeprefix("error: "))
