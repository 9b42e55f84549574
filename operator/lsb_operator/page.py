"""The page about conditions, phases and reasons for people, made from their declarations."""

import ast
import inspect
import sys
from pathlib import Path
from types import ModuleType

from lsb_crds import conditions
from lsb_operator import phase
from lsb_operator.reasons import OF_TRAININGS, Reason

_HEAD = """\
<!-- Made by `python -m lsb_operator.page docs/conditions.md`. Do not edit. -->

# What the status of a backend says

`kubectl get lsbackends` shows the phase, `kubectl describe lsb NAME` the conditions, each with a reason for
programs and a message for people. A message about something wrong ends with what to do about it.

    kubectl wait --for=condition=Ready lsb/NAME --timeout=10m

Every condition carries the generation of the spec that it is about, and the time at which its status (not its
message) changed last. `Reconciling` and `Stalled` are as kstatus, Flux and Argo CD expect them.
"""


def page() -> str:
    """The page, as Markdown."""
    parts = [_HEAD]
    for title, name in (("backend", "BackendCondition"), ("training", "TrainingCondition")):
        parts.append(f"## Conditions of a {title}\n")
        parts.extend(f"- **{kind}**: {text}" for kind, text in _documented(conditions, name))
        parts.append("")
    parts.append("## Phases\n")
    parts.append("One word for people, derived from the conditions; programs read those.\n")
    parts.extend(f"- **{name}**: {text}" for name, text in phase.MEANINGS.items())
    parts.append("\n## Reasons of a backend's conditions\n")
    parts.extend(f"- **{reason}**: {reason.meaning}" for reason in Reason)
    parts.append("\n## Reasons of a training's conditions\n")
    parts.append("Those for which the API server refuses a child may be given here too.\n")
    parts.extend(f"- **{reason}**: {meaning}" for reason, meaning in OF_TRAININGS.items())
    return "\n".join(parts) + "\n"


def _documented(module: ModuleType, name: str) -> list[tuple[str, str]]:
    """Value and docstring of each member of an enumeration, which Python itself does not keep."""
    declared = next(
        node
        for node in ast.parse(inspect.getsource(module)).body
        if isinstance(node, ast.ClassDef) and node.name == name
    )
    found = []
    for member, text in zip(declared.body, declared.body[1:], strict=False):
        if isinstance(member, ast.Assign) and isinstance(text, ast.Expr):
            words = " ".join(str(ast.literal_eval(text.value)).split())
            found.append((str(ast.literal_eval(member.value)), words))
    return found


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
