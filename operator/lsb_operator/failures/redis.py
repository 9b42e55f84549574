"""A managed Redis that does not run: annotations are counted less well, predictions go on."""

from lsb_operator import names
from lsb_operator.facts import Facts
from lsb_operator.failures import admission, volumes
from lsb_operator.failures.failure import Failure
from lsb_operator.failures.pods import pod_failure
from lsb_operator.reasons import Reason


def redis_down(facts: Facts) -> Failure | None:
    """Why the backend's own Redis does not run; None if it does, is starting, or there is none."""
    name = names.redis(facts.name)
    kinds = ("Deployment", "StatefulSet")
    workload = next(((kind, name) for kind in kinds if (kind, name) in facts.children), None)
    if workload is None or facts.children[workload].status.get("readyReplicas"):
        return None
    found = admission.workload(workload, facts.children[workload])
    claim = facts.children.get(("PersistentVolumeClaim", name))
    found = found or (volumes.claim(name, claim) if claim else None)
    for pod in facts.pods:
        if pod.component == "redis":
            found = found or pod_failure(pod, facts.namespace, facts.now)
    if found is None:
        return None
    # Serving goes on without it, so it never stalls the backend.
    return Failure(Reason.REDIS_DOWN, f"Redis is down. {found.what}", found.remedy)
