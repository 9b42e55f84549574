"""How a request, or one task of it, can fail to be predicted."""

from lsb_crds.errors import UserError


class OverloadedError(UserError):
    """Too much is waiting already. `retry_after` is in seconds; over HTTP this is a 503."""

    status = 503

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.headers = {"Retry-After": str(retry_after)}


class NoModelError(UserError):
    """Nothing serves yet; over HTTP this is a 503."""

    status = 503


class InferenceError(UserError):
    """The model failed on this one image."""


class OtherProjectError(UserError):
    """A task that belongs to another project than the request's label config."""
