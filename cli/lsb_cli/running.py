"""How a command ends that goes wrong: one line on stderr, and an exit code."""

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from types import FrameType

import typer

from lsb_cli import last_words
from lsb_crds.errors import UserError


def run(command: Callable[[], object]) -> None:
    """Run a command line; every error is one line on stderr and an exit code."""
    # The first process of a container ignores the signal unless somebody handles it.
    signal.signal(signal.SIGTERM, _end)
    try:
        command()
    except UserError as error:
        _say(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output, such as `head`, has left; Python must not complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        _say(
            f"unexpected {type(error).__name__}: {error}; "
            f"the traceback is in {_kept_traceback()}, please report it"
        )
        sys.exit(1)


def _say(message: str) -> None:
    line = " ".join(message.split())
    typer.secho("error: ", fg="red", bold=True, err=True, nl=False)
    typer.echo(line, err=True)
    last_words.leave(line)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _kept_traceback() -> str:
    """Where the traceback can be read."""
    if last_words.in_container():
        # A file would go with the container; its log stays.
        traceback.print_exc()
        return "the log"
    with tempfile.NamedTemporaryFile(
        "w", prefix="lsb-", suffix=".log", delete=False, encoding="utf-8"
    ) as file:
        traceback.print_exc(file=file)
    return file.name
