"""What stands in the way before any pod is looked at."""

from collections.abc import Iterator

from lsb_operator import names
from lsb_operator.facts import Facts
from lsb_operator.failures import admission, references, volumes
from lsb_operator.failures.failure import Failure
from lsb_operator.reasons import Reason


def conflicts(facts: Facts) -> Iterator[Failure]:
    """Children that cannot be as the spec wants them: taken names, and the API server's refusals."""
    for name in facts.refused:
        yield conflict(facts, name)
    for key, answer in sorted(facts.unapplied.items()):
        if answer:
            yield admission.child(key, answer)


def conflict(facts: Facts, name: str) -> Failure:
    """The failure for one entry of `refused`."""
    what = f"{name} exists in namespace {facts.namespace}, and was not made for this backend"
    remedy = "delete or rename it, or give the backend another name; it is left alone until then"
    return Failure(Reason.NAME_CONFLICT, what, remedy, stalled=True)


def needs(facts: Facts) -> Iterator[Failure]:
    """Things the pods need and do not have: Secrets and the like, volumes, permission to be created."""
    for thing in facts.missing:
        yield references.reference(thing)
    for (kind, name), observed in sorted(facts.children.items()):
        labels = observed.metadata.get("labels") or {}
        component = labels.get(names.COMPONENT)
        if component == "redis":
            continue
        found = None
        if kind == "PersistentVolumeClaim":
            found = volumes.claim(name, observed)
        elif kind == "Deployment" or (kind == "Job" and component == "prepare"):
            found = admission.workload((kind, name), observed)
        if found:
            yield found
