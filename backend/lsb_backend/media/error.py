"""Why an image could not be had: a word for the metrics and a line for people."""

from enum import StrEnum

from lsb_backend.labels.shorten import shortened
from lsb_crds.errors import UserError

LONGEST = 500


class Reason(StrEnum):
    """The kinds of failure, few enough to be the label of a metric."""

    NOT_AN_ADDRESS = "not_an_address"
    FORBIDDEN_HOST = "forbidden_host"
    FORBIDDEN_PATH = "forbidden_path"
    MISSING = "missing"
    UNAUTHORIZED = "unauthorized"
    UNREACHABLE = "unreachable"
    TOO_LARGE = "too_large"
    NOT_AN_IMAGE = "not_an_image"


class MediaError(UserError):
    """An image that cannot be had; costs the answer of its own task and nothing else."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(shortened(" ".join(message.split()), LONGEST))
        self.reason = reason
