"""Argo CD's settings for the two resources, made from the scripts: `python dev/argocd_cm.py` writes them."""

from pathlib import Path
from typing import Any

from lsb_operator.children.text import to_yaml

FOLDER = Path(__file__).parents[1] / "examples" / "argocd"
SCRIPTS = FOLDER / "lua"
SNIPPET = FOLDER / "argocd-cm.yaml"
_HEADER = (
    "# Made from lua/ by `python dev/argocd_cm.py`: change those, not this. It has these keys alone,\n"
    "# and leaves all others of your argocd-cm as they are:\n"
    "# kubectl apply --server-side --field-manager=lsbackends -f argocd-cm.yaml\n"
)
# Each of these changes with every few epochs, and Argo CD would look at the whole application again.
_PASSED_OVER = {
    "lsbackends.dev_LabelStudioBackend": ["/status/training/progress"],
    "lsbackends.dev_LabelStudioTraining": ["/status/progress"],
}


def snippet() -> str:
    """The ConfigMap with all scripts, as a manifest."""
    about = {
        "name": "argocd-cm",
        "namespace": "argocd",
        "labels": {"app.kubernetes.io/name": "argocd-cm", "app.kubernetes.io/part-of": "argocd"},
    }
    return _HEADER + to_yaml({"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": _data()})


def _data() -> dict[str, str]:
    found: dict[str, str] = {}
    for folder in sorted(SCRIPTS.glob("*/*")):
        key = f"{folder.parent.name}_{folder.name}"
        found[f"resource.customizations.health.{key}"] = _text(folder / "health.lua")
        if (folder / "actions").is_dir():
            found[f"resource.customizations.actions.{key}"] = to_yaml(_actions(folder / "actions"))
        if key in _PASSED_OVER:
            pointers = to_yaml({"jsonPointers": _PASSED_OVER[key]})
            found[f"resource.customizations.ignoreResourceUpdates.{key}"] = pointers
    return found


def _actions(folder: Path) -> dict[str, Any]:
    scripts = sorted(folder.glob("*/action.lua"))
    definitions = [{"name": script.parent.name, "action.lua": _text(script)} for script in scripts]
    return {"discovery.lua": _text(folder / "discovery.lua"), "definitions": definitions}


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


if __name__ == "__main__":
    SNIPPET.write_text(snippet(), encoding="utf-8")
