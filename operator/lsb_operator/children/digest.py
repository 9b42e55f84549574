"""A short name for plain data, the same in every release."""

import hashlib
import json
from typing import Any


def digest(data: Any) -> str:
    """16 hexadecimal digits of the SHA-256 of `data` as JSON with sorted keys."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
