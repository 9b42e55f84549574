"""Where the pictures of tasks come from: found, fetched and decoded, within limits."""

from lsb_backend.media.error import MediaError
from lsb_backend.media.limits import Limits
from lsb_backend.media.media import Media

__all__ = ["Limits", "Media", "MediaError"]
