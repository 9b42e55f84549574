"""What an image may cost, whoever put its address into a task."""

from dataclasses import dataclass

MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one image and on the reading of many; times are in seconds.

    An image of `pixels` takes three bytes a pixel once decoded: 192 MiB with the default.
    """

    bytes: int = 64 * MEBIBYTE
    pixels: int = 2**26
    redirects: int = 5
    connections: int = 16
    attempts: int = 3
    connect_timeout: float = 5.0
    total_timeout: float = 30.0
