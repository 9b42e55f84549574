"""Every command of ours to be typed from a page is one that the command line takes."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from lsb_cli import main
from lsb_cli.cluster import plugin

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*/README.md")]
_BLOCK = re.compile(r"^```(?:console|sh|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"(kubectl )?\blsb ([^|#&;\n]*)")


def _commands() -> dict[str, tuple[Any, list[str]]]:
    """Program and words of each command in a block that is to be typed, by page and text."""
    found = {}
    for page in sorted(PAGES):
        for block in _BLOCK.findall(page.read_text(encoding="utf-8").replace("\\\n", "")):
            for command in map(_COMMAND.match, map(str.strip, block.splitlines())):
                if command:
                    program = plugin.app if command[1] else main.app
                    text = f"{page.relative_to(ROOT)}: {command[0].strip()}"
                    found[text] = (program, shlex.split(command[2]))
    return found


COMMANDS = _commands()


@pytest.mark.parametrize("text", COMMANDS)
def test_it_is_taken(text: str) -> None:
    program, words = COMMANDS[text]
    group: Any = typer.main.get_command(program)
    if words != ["--help"]:
        # Raises for an option or an argument that is not there, and for one that is missing.
        group.commands[words[0]].make_context(words[0], words[1:])


def test_there_are_some() -> None:
    assert len(COMMANDS) > 15
