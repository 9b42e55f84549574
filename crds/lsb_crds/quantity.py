"""Kubernetes quantities: `20Gi`, `500m`, `1.5`; compared as numbers, kept as they were written."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from lsb_crds.text import Form

_NUMBER = r"([0-9]+(\.[0-9]*)?|\.[0-9]+)"
_PATTERN = rf"^{_NUMBER}([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{{1,2}})?$"
_BINARY = "KMGTPE"
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def quantity(text: str) -> Decimal:
    """The number that a valid quantity stands for, in its own unit (bytes, cores, devices)."""
    if text.endswith("i"):
        return Decimal(text[:-2]) * Decimal(1024 ** (1 + _BINARY.index(text[-2])))
    if text[-1] in _DECIMAL:
        return Decimal(text[:-1]).scaleb(_DECIMAL[text[-1]])
    return Decimal(text)


def compared(left: str, comparison: str, right: str) -> str:
    """The rule that one quantity is `<`, `<=`, `==`, `>=` or `>` another, in Common Expression Language.

    It holds where one of them is no quantity: that is told once, by the form of the text itself.
    """
    both = f"quantity({left}).compareTo(quantity({right})) {comparison} 0"
    return f"(!isQuantity({left}) || !isQuantity({right}) || {both})"


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class _IntegerOrText:
    """Tells the API server that `2` and `"2"` are the same quantity."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        form = {key: value for key, value in handler(schema).items() if key != "type"}
        return {**form, "minimum": 0, "x-kubernetes-int-or-string": True}


Size = Annotated[str, Form(_PATTERN, "a size in bytes as a Kubernetes quantity, such as '20Gi'", 32)]
Quantity = Annotated[
    str,
    BeforeValidator(_as_text),
    Form(_PATTERN, "a Kubernetes quantity, such as 2, '500m' or '4Gi'", 32),
    _IntegerOrText(),
]
