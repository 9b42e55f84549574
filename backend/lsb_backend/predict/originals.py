"""How many decoded pixels may be in memory at a time, however many threads decode."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

# A processor decodes about as many while another computes them: more side by side gain nothing.
PIXELS_PER_PROCESSOR = 2**23


class Originals:
    """Room for decoded pictures of together `room` pixels; a larger one is let in alone. For threads."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._held = 0
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, pixels: int) -> Iterator[None]:
        """Wait until there is room for a picture, and keep it for as long as the block runs."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held or self._held + pixels <= self._room)
            self._held += pixels
        try:
            yield
        finally:
            with self._changed:
                self._held -= pixels
                self._changed.notify_all()
