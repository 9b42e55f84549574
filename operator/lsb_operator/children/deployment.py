"""Deployment: the serving pods, how many there are, and how new ones replace old ones."""

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolved import Resolved, Rollout
from lsb_operator import names
from lsb_operator.children.metadata import metadata
from lsb_operator.children.release import template_digest
from lsb_operator.children.replicas import replicas
from lsb_operator.children.template import template
from lsb_operator.facts import Facts, Manifest


def deployment(backend: LabelStudioBackend, resolved: Resolved, facts: Facts, *, release: str) -> Manifest:
    """The Deployment of the serving pods, whose default images are those of `release`."""
    name = backend.metadata.name
    marks = {names.TEMPLATE: template_digest(backend, facts), names.RELEASE: release}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(backend, name, "serve") | {"annotations": marks},
        "spec": {
            "replicas": replicas(backend, facts),
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": names.selector(name, "serve")},
            "strategy": _strategy(resolved.rollout),
            "template": template(backend, resolved, facts),
        },
    }


def _strategy(rollout: Rollout) -> Manifest:
    """How new pods arrive; InPlace too has them, when something else than the version changes."""
    if rollout == "Recreate":
        return {"type": "Recreate"}
    # With a lone GPU the old pod must go before the new one can start.
    surge, unavailable = (0, 1) if rollout == "InPlace" else (1, 0)
    return {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable},
    }
