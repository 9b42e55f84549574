"""The operator's log: one JSON object a line on stderr, with the resource that it is about."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

from lsb_operator.queue import Key

_FIELDS = "%(asctime)s %(levelname)s %(name)s %(message)s"
_NAMES = {"asctime": "time", "levelname": "level", "name": "logger"}


def about(key: Key) -> dict[str, str]:
    """`extra` for a line about a backend."""
    return {"backend": f"{key[0]}/{key[1]}"}


class _NoTraceback(logging.Filter):
    """Drops what kopf, and asyncio for its tasks, add to a message that says all that helps a person."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every line pass."""
        if record.name.partition(".")[0] in ("kopf", "asyncio"):
            record.exc_info = record.exc_text = None
        return True


def log_as_json(level: str) -> None:
    """Send what this process logs to stderr; an unknown level is INFO."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(_FIELDS, rename_fields=_NAMES, datefmt="%Y-%m-%dT%H:%M:%S%z"))
    if level != "DEBUG":
        handler.addFilter(_NoTraceback())
    known = logging.getLevelNamesMapping()
    logging.basicConfig(level=level if level in known else "INFO", handlers=[handler], force=True)
    # kopf tells of each handler that it calls: a line for every event.
    logging.getLogger("kopf").setLevel(logging.WARNING)
    # It warns of a kubeconfig that is not there before our own error says what to do about it.
    logging.getLogger("kubernetes.aio.config").setLevel(logging.ERROR)
