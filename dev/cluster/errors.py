"""How a cluster says that it cannot do what it was asked for."""

from lsb_crds.errors import UserError


class ClusterError(UserError):
    """One line: what is missing or went wrong, and what to do about it."""


class KubectlError(ClusterError):
    """kubectl refused; the text is what it printed as its error."""
