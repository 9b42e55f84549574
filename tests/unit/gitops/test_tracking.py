"""Nothing that the operator makes can be taken by Argo CD for a part of the application.

Argo CD takes an object for one of an application's by an annotation, or by a label if it has no owner; what
it finds so and not in Git makes the application OutOfSync, and is pruned.
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolve import resolve
from lsb_operator import names
from lsb_operator.children.all import children
from lsb_operator.children.secrets import secrets
from lsb_operator.facts import Facts, Manifest, TrainingFacts
from lsb_operator.jobs.prepare import prepare
from lsb_operator.jobs.register import register
from lsb_operator.jobs.train import train
from lsb_operator.jobs.unregister import unregister
from lsb_operator.kinds import CHILDREN
from lsb_operator.rollout import Model, record

APPLICATION = "studio"
SPECIAL = "argocd.argoproj.io/"
TRACKED: dict[str, Any] = {
    "name": "cats",
    "namespace": "models",
    "uid": "1",
    "labels": {names.INSTANCE: APPLICATION, f"{SPECIAL}instance": APPLICATION, "team": "vision"},
    "annotations": {
        f"{SPECIAL}tracking-id": f"{APPLICATION}:lsbackends.dev/LabelStudioBackend:models/cats",
        f"{SPECIAL}sync-wave": "0",
        f"{SPECIAL}sync-options": "Prune=false",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
    },
}
EVERYTHING = {
    "labelStudio": {"url": "http://label-studio:8080", "projects": [1]},
    "serving": {"replicas": 2},
    "redis": {"mode": "Managed"},
    "ingress": {"host": "ml.example.org"},
    "networkPolicy": {"enabled": True},
}


def backend(retain: bool, **metadata: Any) -> LabelStudioBackend:
    """A backend with every child that there is."""
    spec = EVERYTHING | {"storage": {"retain": retain}}
    return LabelStudioBackend.model_validate({"metadata": TRACKED | metadata, "spec": spec})


def made_for(found: LabelStudioBackend) -> list[Manifest]:
    """All that is applied or created while the backend is there."""
    facts = Facts(backend={"metadata": {"name": "cats"}}, now=datetime.now(UTC), target="3-0a1b2c3d")
    resolved = resolve(found, "1.0.0")
    training = TrainingFacts("cats-after-0", uid="2")
    return [
        *children(found, facts),
        *(one.filled("x") for one in secrets(found)),
        record(found, Model()),
        train(found, resolved, facts, training, 1),
        prepare(found, resolved, facts, training, 1),
        register(found, resolved),
        unregister(found, resolved),
    ]


def texts(part: Any) -> list[str]:
    """All keys and texts in labels and annotations, those of pod templates included."""
    if isinstance(part, list):
        return [text for one in part for text in texts(one)]
    if not isinstance(part, dict):
        return []
    own = [part.get(key) or {} for key in ("labels", "annotations", "matchLabels")]
    here = [str(text) for one in own if isinstance(one, dict) for pair in one.items() for text in pair]
    return here + [text for one in part.values() for text in texts(one)]


@pytest.mark.parametrize("retain", [True, False])
def test_no_child_inherits_a_mark_of_its_backend(retain: bool) -> None:
    made = made_for(backend(retain))
    assert {one["kind"] for one in made} == {kind.name for kind in CHILDREN}
    for manifest in made:
        found = texts(manifest)
        assert not [text for text in found if SPECIAL in text or "last-applied" in text], manifest["metadata"]
        assert APPLICATION not in found, manifest["metadata"]
        assert "vision" not in found, manifest["metadata"]


def test_what_has_the_label_of_an_application_has_an_owner() -> None:
    # An application is often named as its one backend is; the label that they share then means both.
    for manifest in made_for(backend(retain=True)):
        about = manifest["metadata"]
        if names.INSTANCE in about["labels"]:
            assert about["ownerReferences"], about
