"""What the chart holds that is made: definitions, rights, dashboard and the table of values."""

from pathlib import Path
from typing import Any

import yaml

from chart.dashboard import dashboard
from chart.values import with_table
from lsb_crds.crd import crd_documents
from lsb_operator.children.text import to_yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "lsbackends"
RIGHTS = ROOT / "operator" / "rbac.yaml"
_HEADER = "# Made from operator/rbac.yaml by `python -m chart`: change that, not this.\n"


def made() -> dict[str, str]:
    """Text by file, below CHART."""
    readme = (CHART / "README.md").read_text(encoding="utf-8")
    values = (CHART / "values.yaml").read_text(encoding="utf-8")
    definitions = {f"files/crds/{name}": text for name, text in crd_documents().items()}
    return definitions | {
        "files/rules.yaml": _HEADER + to_yaml(rules()),
        "files/dashboard.json": dashboard(),
        "README.md": with_table(readme, values),
    }


def rules() -> dict[str, list[Any]]:
    """The rules of each role, by its name without the prefix; `lease` are those of the Role."""
    found = {}
    for document in yaml.safe_load_all(RIGHTS.read_text(encoding="utf-8")):
        if "rules" in document:
            name = document["metadata"]["name"].removeprefix("lsbackends-")
            found["lease" if document["kind"] == "Role" else name] = document["rules"]
    return found
