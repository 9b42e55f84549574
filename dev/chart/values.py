"""The table of values in the chart's README, made from the comments in values.yaml."""

import json
import re
from typing import Any

import yaml

BEGIN, END = "<!-- values: begin -->\n", "<!-- values: end -->\n"
_LINE = re.compile(r"\s*## @(section|param) (.*)")


def with_table(readme: str, values: str) -> str:
    """The README with the table of these values in its place."""
    before, rest = readme.split(BEGIN)
    return before + BEGIN + table(values) + END + rest.split(END)[1]


def table(values: str) -> str:
    """One Markdown table for each section."""
    defaults = yaml.safe_load(values)
    lines = []
    for kind, text in described(values):
        if kind == "section":
            lines += ["", f"### {text}", "", "| value | default | |", "| --- | --- | --- |"]
        else:
            name, _, description = text.partition(" ")
            lines.append(f"| `{name}` | `{_default(defaults, name)}` | {description} |")
    return "\n".join([*lines, "", ""])


def described(values: str) -> list[tuple[str, str]]:
    """`section` or `param`, and what follows, in the order of the file."""
    return [(found[1], found[2]) for line in values.splitlines() if (found := _LINE.match(line))]


def _default(defaults: Any, name: str) -> str:
    for key in name.split("."):
        defaults = defaults[key]
    return json.dumps(defaults)
