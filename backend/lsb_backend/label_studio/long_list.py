"""A JSON list that is read item by item.

Python's parser keeps the interpreter to itself from the first byte to the last, in a thread as well: an
export of 20,000 tasks would stop every other answer of this process for a second or two.
"""

import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

Item = TypeVar("Item")
_SPACE = re.compile(r"[ \t\n\r]*")


def read_list(data: bytes, look: Callable[[Any], Item]) -> list[Item] | Any:
    """What `look` makes of each item of the list in `data`; JSON that is no list comes back as it is.

    An item that `look` does not keep is gone before the next one is read. Raises ValueError for what is not
    JSON, perhaps after `look` has seen some items.
    """
    text = data.decode()
    position = _past_space(text, 0)
    if not text.startswith("[", position):
        return json.loads(text)
    found: list[Item] = []
    decoder = json.JSONDecoder()
    position = _past_space(text, position + 1)
    if not text.startswith("]", position):
        while True:
            item, position = decoder.raw_decode(text, position)
            found.append(look(item))
            position = _past_space(text, position)
            if not text.startswith(",", position):
                break
            position = _past_space(text, position + 1)
    if not text.startswith("]", position) or _past_space(text, position + 1) != len(text):
        raise json.JSONDecodeError("Expecting the end of the list", text, position)
    return found


def _past_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position
