"""Lists without duplicates, checked here and by the API server, which also merges them item by item."""

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True, slots=True)
class Distinct:
    """No two items alike: whole items, or their `key` where items are objects (its name in a manifest)."""

    key: str = ""

    def check(self, items: list[Any]) -> list[Any]:
        """Return `items`, or raise the error that names the first repeated one."""
        seen: set[Any] = set()
        for index, item in enumerate(items):
            identity = getattr(item, self.key) if self.key else item
            if identity in seen:
                raise PydanticCustomError(
                    "rule", "{message}", {"message": f"{identity!r} is there twice", "field": f"[{index}]"}
                )
            seen.add(identity)
        return items

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        if self.key:
            kind = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [self.key]}
        else:
            kind = {"x-kubernetes-list-type": "set"}
        return {**handler(schema), **kind}
