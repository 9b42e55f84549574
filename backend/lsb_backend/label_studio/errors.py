"""How a call to Label Studio can fail, each in one line for people."""

from lsb_crds.errors import UserError


class LabelStudioError(UserError):
    """Something between this backend and Label Studio is wrong; trying again changes nothing."""


class UnreachableError(LabelStudioError):
    """No answer: down, starting, or a network in between. Worth another try."""


class RefusedError(LabelStudioError):
    """Label Studio (or whatever listens there) answered with an error.

    `status` is the HTTP status, `detail` what the answer said in words of its own.
    """

    def __init__(self, message: str, status: int, detail: str) -> None:
        super().__init__(message)
        self.status = status
        self.detail = detail


class RegistrationError(UserError):
    """The backend could not be put into a project; the text names the setting to change."""
