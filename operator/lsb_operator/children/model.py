"""ConfigMap <name>-model: the version to serve, which pods follow as long as nobody stamps it on them.

Beside it stands what was decided about versions, which pods write into the store on the volume.
"""

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolved import Resolved
from lsb_operator import names
from lsb_operator.children.metadata import metadata
from lsb_operator.children.volumes import DECISIONS_KEY, VERSION_KEY
from lsb_operator.facts import Facts, Manifest


def model(backend: LabelStudioBackend, resolved: Resolved, facts: Facts) -> Manifest:
    """The ConfigMap; empty until there is a version."""
    found = {VERSION_KEY: facts.target, DECISIONS_KEY: facts.decisions.text()}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(backend, names.model(backend.metadata.name), "serve"),
        "data": {key: value for key, value in found.items() if value},
    }
