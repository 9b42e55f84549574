"""Foreign texts in messages: cut, for whoever wrote them may have written a million letters."""

from collections.abc import Sequence

LONGEST = 80
NAMED = 3


def shortened(text: str, longest: int = LONGEST) -> str:
    """`text`, with an ellipsis in the place of what is beyond `longest` characters."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def first_of(names: Sequence[str], most: int = NAMED, longest: int = LONGEST) -> list[str]:
    """The first `most` names, shortened, and how many there are besides."""
    more = [f"{len(names) - most} more"] if len(names) > most else []
    return [shortened(name, longest) for name in names[:most]] + more
