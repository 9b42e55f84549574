"""The log of a long-running command, in which nobody but the program writes lines."""

import logging

import pytest

from lsb_cli.logs import PLAIN, OneLineFormatter


def written(message: str, error: Exception | None = None) -> str:
    information = (type(error), error, None) if error else None
    record = logging.LogRecord("lsb", logging.WARNING, "file", 1, "Project %s", (message,), information)
    return OneLineFormatter(PLAIN).format(record)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("9\n2026-11-22 ERROR fake", "9\\n2026-11-22 ERROR fake"),
        ("9\r\x1b[31mred", "9\\r\\x1b[31mred"),
        ("\x9b31m\u2028\x00", "\\x9b31m\\u2028\\x00"),
        ("\ud800", "\\ud800"),
        ("Kätzchen 猫", "Kätzchen 猫"),
    ],
)
def test_a_message_is_one_line_of_printable_characters(text: str, shown: str) -> None:
    line = written(text)
    assert line.endswith(f"Project {shown}")
    assert line.isprintable()


def test_no_line_of_a_traceback_looks_like_one_of_the_log() -> None:
    first, *others = written("9", ValueError("x\n2026-11-22 ERROR \x1bfake")).split("\n")
    assert first.endswith("Project 9")
    assert others
    assert all(line.startswith("  ") and line.isprintable() for line in others)
