"""Plain data as YAML that every reader takes for the same data."""

import re
from typing import Any

import yaml

_HARMLESS = re.compile(r"-{0,2}[A-Za-z/]\S+|-[A-Za-z]")


# libyaml's dumper: PyYAML's own takes a third of the time in which all children are made.
class _Dumper(yaml.CSafeDumper):
    """Quotes what other readers of YAML would not take for text: 1e-3, 0o17, y."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    several_lines = "\n" in text and all(map(str.isprintable, text.split("\n")))
    style = "|" if several_lines else None if _HARMLESS.match(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def to_yaml(document: Any, *, sort_keys: bool = False) -> str:
    """One document, always the same text for the same data."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=sort_keys, allow_unicode=True, width=1000)
    return text
