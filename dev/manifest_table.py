"""The table of good and bad manifests, for everything that judges them: the models, and an API server."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsb_crds.documents import read_documents

TABLE = Path(__file__).parents[1] / "tests" / "unit" / "crds" / "manifests.yaml"


@dataclass(frozen=True)
class Row:
    """One manifest of the table.

    `old` is what it replaces, `path` the field to blame ("" in a good one), `reason` a part of what the
    models say then, `only` the one judge who refuses it ("" for all of them).
    """

    name: str
    kind: str
    manifest: dict[str, Any]
    old: dict[str, Any] | None
    path: str
    reason: str
    only: str


def merged(base: Any, change: Any) -> Any:
    """`change` laid over `base`, object by object."""
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    return base | {key: merged(base.get(key), value) for key, value in change.items()}


def table() -> list[Row]:
    """All rows of the table."""
    (content,) = read_documents(TABLE)
    return [_row(row, content["smallest"][row["of"]]) for row in content["rows"]]


def _row(row: dict[str, str], base: Any) -> Row:
    old = merged(base, row["old"]) if "old" in row else None
    return Row(
        name=row["name"],
        kind=row["of"],
        manifest=merged(old or base, row["change"]),
        old=old,
        path=row.get("path", ""),
        reason=row.get("reason", ""),
        only=row.get("only", ""),
    )
