"""Where the log of a long-running command goes: stderr, in colour where it is a terminal."""

import logging
import os
import sys
import textwrap
from types import TracebackType

from rich.console import Console
from rich.logging import RichHandler

PLAIN = "%(asctime)s %(levelname)s %(message)s"


def log_to_stderr() -> None:
    """Send what this process logs to stderr; `LSB_LOG_LEVEL=DEBUG` shows more."""
    level = os.environ.get("LSB_LOG_LEVEL", "INFO").upper()
    logging.basicConfig(
        level=level if level in logging.getLevelNamesMapping() else "INFO",
        handlers=[_handler()],
        force=True,
    )
    # It says on its own what the banner says better.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # Each attempt of a request; the one that fails for good is told by whoever asked.
    logging.getLogger("stamina").setLevel(logging.ERROR)


class OneLineFormatter(logging.Formatter):
    """Writes control characters as they are in a Python string, so that nobody forges a line of the log."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name it overrides
        """See logging.Formatter."""
        return escaped(super().formatMessage(record))

    def formatException(  # noqa: N802 - the name it overrides
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """The traceback, indented: what an exception says may have lines of its own."""
        lines = super().formatException(ei).split("\n")
        return textwrap.indent("\n".join(escaped(line) for line in lines), "  ", lambda _: True)


def escaped(text: str) -> str:
    """`text` with each character that is no printable one as its escape."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )


def _handler() -> logging.Handler:
    if sys.stderr.isatty():
        rich = RichHandler(console=Console(stderr=True), show_path=False, log_time_format="%H:%M:%S")
        rich.setFormatter(OneLineFormatter("%(message)s"))
        return rich
    handler = logging.StreamHandler()
    handler.setFormatter(OneLineFormatter(PLAIN))
    return handler
