"""Objects that the API server does not let in: quota, pod security, classes, webhooks."""

import re
from collections.abc import Mapping
from typing import Any

from lsb_operator.facts import Key, Observed
from lsb_operator.failures.failure import Failure, one_line
from lsb_operator.reasons import Reason

_CLASS = re.compile(r"no PriorityClass with name (\S+) was found|RuntimeClass \"?([\w.-]+)\"? not found")


def workload(key: Key, observed: Observed) -> Failure | None:
    """Why the controller of a Deployment, StatefulSet or Job may not create its pods."""
    kind, name = key
    words = _condition_words(observed.status) or _event_words(observed)
    return refusal(words, f"The pods of {kind} {name} are not created") if words else None


def child(key: Key, answer: str) -> Failure:
    """Why the API server refused a child."""
    kind, name = key
    found = refusal(answer, f"{kind} {name} cannot be applied")
    if found.reason is not Reason.POD_REFUSED:
        return found
    what = f"{kind} {name} cannot be applied; the API server says: {one_line(answer)}"
    return Failure(Reason.APPLY_REFUSED, what, _remedy_of_child(kind, answer), stalled=True)


def refusal(words: str, subject: str) -> Failure:
    """An answer of the API server's admission, in its own words."""
    what = f"{subject}; the API server says: {one_line(words)}"
    if "exceeded quota" in words and "count/" in words:
        remedy = "raise the ResourceQuota of the namespace, or delete what it counts and nobody needs"
        return Failure(Reason.QUOTA_EXCEEDED, what, remedy)
    if "exceeded quota" in words:
        remedy = "raise the ResourceQuota of the namespace, or lower the resources in the spec"
        return Failure(Reason.QUOTA_EXCEEDED, what, remedy)
    if "failed quota" in words:
        remedy = "set the resources that the quota names, under spec.serving and spec.training"
        return Failure(Reason.QUOTA_EXCEEDED, what, remedy, stalled=True)
    if "usage per" in words:
        remedy = "keep the resources in the spec within the LimitRange of the namespace"
        return Failure(Reason.QUOTA_EXCEEDED, what, remedy, stalled=True)
    if "violates PodSecurity" in words:
        remedy = "lower the namespace's pod-security.kubernetes.io/enforce label, or drop what it forbids"
        return Failure(Reason.POD_SECURITY_REFUSED, what, remedy, stalled=True)
    if _CLASS.search(words):
        remedy = "create the class, or correct priorityClassName or runtimeClassName in the spec"
        return Failure(Reason.REFERENCE_MISSING, what, remedy, stalled=True)
    if "failed calling webhook" in words:
        return Failure(Reason.POD_REFUSED, what, "see that the service behind that webhook runs")
    return Failure(Reason.POD_REFUSED, what, "change in the spec what it objects to", stalled=True)


def _remedy_of_child(kind: str, answer: str) -> str:
    if kind == "Ingress" and "already defined" in answer:
        return "give spec.ingress a host or path of its own: another Ingress has this one"
    if kind == "PersistentVolumeClaim":
        return "undo the change of spec.storage: of a claim the size alone can grow, if its class lets it"
    if "cannot create resource" in answer or "cannot patch resource" in answer:
        return "install the Roles of this release: the operator has not the right that it names"
    if "webhook" in answer:
        return "change in the spec what the webhook objects to, or ask whoever runs it"
    return "change in the spec what it objects to"


def _condition_words(status: Mapping[str, Any]) -> str:
    for one in status.get("conditions") or []:
        if one.get("type") == "ReplicaFailure" and one.get("status") == "True":
            return str(one.get("message") or "")
    return ""


def _event_words(observed: Observed) -> str:
    newest = next(iter(observed.events), None)
    return newest.message if newest and newest.reason == "FailedCreate" else ""
