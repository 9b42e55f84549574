"""Exit codes by which a program of ours tells the operator whose fault it was."""

from typing import Final

BAD_DATA: Final = 42
"""Of a training that would fail again with the same annotations."""
BAD_SURROUNDINGS: Final = 78
"""Of a server that cannot start for a reason other than the version it was started with (EX_CONFIG)."""
