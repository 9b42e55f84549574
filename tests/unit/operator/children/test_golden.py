"""What is applied for representative backends, to the letter.

After a change that is meant, write them anew, and read the difference, since it is what every cluster gets:

    LSB_WRITE_GOLDEN=1 .venv/bin/python -m pytest tests/unit/operator/children/test_golden.py

Another digest restarts every pod of such a backend when the operator is upgraded.
"""

import os
from collections.abc import Callable
from pathlib import Path

import yaml

from lsb_crds.manifest import load_backend
from lsb_operator.children.release import template_digest
from lsb_operator.children.secrets import secrets
from lsb_operator.children.text import to_yaml
from lsb_operator.facts import Facts, Manifest

WRITE = bool(os.environ.get("LSB_WRITE_GOLDEN"))
BEFORE_THE_FIRST_VERSION = ("minimal",)


def compare(file: Path, text: str) -> None:
    """Fail where the file does not hold the text, or write it there."""
    if WRITE:
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text


def test_the_children_of_a_representative_backend(
    case: str,
    golden: Path,
    built: Callable[..., dict[tuple[str, str], Manifest]],
    facts_of: Callable[..., Facts],
) -> None:
    backend = load_backend(golden / case / "backend.yaml")
    facts = facts_of(None) if case in BEFORE_THE_FIRST_VERSION else facts_of()
    manifests = [one.filled("<password>") for one in secrets(backend)] + list(built(backend, facts).values())
    text = "---\n".join(map(to_yaml, manifests))
    compare(golden / case / "children.yaml", text)
    assert list(yaml.safe_load_all(text)) == manifests


def test_a_new_operator_restarts_no_pod(golden: Path, case: str, facts_of: Callable[..., Facts]) -> None:
    backend = load_backend(golden / case / "backend.yaml")
    compare(golden / case / "template-digest", template_digest(backend, facts_of()) + "\n")
