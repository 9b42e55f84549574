"""Ports of the serving pods."""

from typing import Final

from lsb_crds.resolve import SERVE_PORT as SERVE_PORT

METRICS_PORT: Final = 9091
"""Metrics and status, for whoever runs the backend; on no Service."""
