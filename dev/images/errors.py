"""How building or running an image says that it cannot."""

from lsb_crds.errors import UserError


class ImageError(UserError):
    """One line: what is missing or went wrong, and what to do about it."""
