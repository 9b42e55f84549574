"""Keeps what ultralytics prints out of our output, and in a file where it helps."""

import contextlib
import logging
import re
from collections.abc import Iterator
from pathlib import Path

TAIL = 60
_LONGEST_LINE = 300
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@contextlib.contextmanager
def printing_into(path: Path) -> Iterator[None]:
    """Append to `path` whatever is printed, warned or logged by ultralytics meanwhile."""
    logger = logging.getLogger("ultralytics")
    before, level = logger.handlers, logger.level
    with path.open("a", encoding="utf-8", buffering=1) as file:
        handler = logging.StreamHandler(file)
        logger.handlers = [handler]
        logger.setLevel(logging.INFO)
        try:
            with contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
                yield
        finally:
            logger.handlers = before
            logger.setLevel(level)


def log_tail(path: Path) -> list[str]:
    """The last lines of a log, without colours and cut to a readable length; none where there is no log."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    lines = _COLOUR.sub("", text).splitlines()
    return [line.rstrip()[:_LONGEST_LINE] for line in lines if line.strip()][-TAIL:]
