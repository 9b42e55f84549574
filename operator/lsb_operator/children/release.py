"""Which release's images stand for null: a new operator alone restarts no pod."""

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.release import release as installed_release
from lsb_crds.resolve import resolve
from lsb_crds.resolved import Resolved
from lsb_operator import names
from lsb_operator.children.digest import digest
from lsb_operator.children.template import template
from lsb_operator.facts import NOTHING, Facts, Manifest

_ANY_RELEASE = "any"


def chosen_release(backend: LabelStudioBackend, facts: Facts, release: str | None = None) -> str:
    """The release whose images the pods and Jobs of a backend have.

    `release` is that of this operator (None: the installed one). Pods keep the images of the release that
    made them until something in the spec asks for other pods anyway. A new version of the model does not: a
    model that fails could not be told from an image that fails.
    """
    observed = facts.children.get(("Deployment", backend.metadata.name))
    found = (observed.metadata.get("annotations") or NOTHING) if observed else NOTHING
    own = release or installed_release()
    kept = found.get(names.RELEASE) or own
    # A digest is a third of a reconcile's work, and there is seldom another release to choose.
    if kept == own:
        return own
    return kept if found.get(names.TEMPLATE) == template_digest(backend, facts) else own


def resolved(backend: LabelStudioBackend, facts: Facts, release: str | None = None) -> Resolved:
    """What null in the spec becomes, for pods, Jobs and the status alike; `release` as above."""
    return resolve(backend, chosen_release(backend, facts, release))


def template_digest(backend: LabelStudioBackend, facts: Facts) -> str:
    """A digest of the serving pods' form: the same in every release for the same spec.

    Left out are the version that is served and the tag of default images, which change by themselves.
    """
    form: Manifest = template(backend, resolve(backend, _ANY_RELEASE), facts)
    annotations = dict(form["metadata"]["annotations"])
    annotations.pop(names.VERSION, None)
    return digest(form | {"metadata": form["metadata"] | {"annotations": annotations}})
