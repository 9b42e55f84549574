"""Why a training ended without a version, as far as the exit code tells it apart."""

from lsb_crds.errors import UserError
from lsb_crds.exit_codes import BAD_DATA


class DataError(UserError):
    """The annotations or the manifest do not suffice; the same again would end the same, so no retry."""

    exit_code = BAD_DATA


class TooFewAnnotationsError(DataError):
    """Fewer annotated tasks than the manifest asks for."""
