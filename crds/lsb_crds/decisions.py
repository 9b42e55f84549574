"""What the operator decided about versions, in the form in which it tells the store of it."""

from typing import Annotated, Self

from pydantic import Field, ValidationError

from lsb_crds.contract import Contract
from lsb_crds.text import ModelVersion


class Decisions(Contract):
    """`promoted` took over, by itself or by approval; `rolled_back` (oldest first) are not served again."""

    promoted: ModelVersion | None = None
    rolled_back: Annotated[tuple[ModelVersion, ...], Field(strict=False)] = ()

    @classmethod
    def read(cls, text: str) -> Self:
        """The decisions in a text; none for what is empty or not of this form."""
        try:
            return cls.model_validate_json(text, extra="ignore")
        except ValidationError:
            return cls()

    def text(self) -> str:
        """One line of JSON; nothing where nothing was decided."""
        return "" if self == type(self)() else self.model_dump_json(by_alias=True, exclude_defaults=True)
