"""Rules over several fields, said once for Python and once for the API server, side by side."""

from dataclasses import dataclass

from pydantic import JsonValue
from pydantic_core import PydanticCustomError


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the contract: `cel` is its form in Common Expression Language, evaluated by the API server.

    The validator that calls `require` is its form in Python; `message` is what people read in both.
    The server also tries each rule on an object's default `{}`, before those inside it are filled in:
    a rule asks `has(...)` even about fields that have a default.
    `field` is the field to blame, relative to the object that carries the rule ("" is the object itself).
    """

    cel: str
    message: str
    field: str = ""

    def require(self, holds: bool) -> None:
        """Raise the error that pydantic collects, unless the rule holds."""
        if not holds:
            raise PydanticCustomError("rule", "{message}", {"message": self.message, "field": self.field})

    def kubernetes(self) -> dict[str, JsonValue]:
        """One item of `x-kubernetes-validations`."""
        where: dict[str, JsonValue] = {"fieldPath": f".{self.field}"} if self.field else {}
        return {"rule": self.cel, "message": self.message, **where}


def validations(*rules: Rule) -> dict[str, JsonValue]:
    """`json_schema_extra` of a model that carries these rules."""
    return {"x-kubernetes-validations": [rule.kubernetes() for rule in rules]}
