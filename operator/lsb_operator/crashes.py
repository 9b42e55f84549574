"""Whether a version is to blame for pods that fail: a missing GPU, image or volume is not its fault."""

from datetime import datetime

from lsb_crds.exit_codes import BAD_SURROUNDINGS
from lsb_operator.facts import Facts, PodFacts
from lsb_operator.results import last_words

_CONTAINER = "serve"
# Ends of a container that never ran, or whose node was lost.
_NOT_STARTED = ("StartError", "ContainerCannotRun", "ContainerStatusUnknown", "Unknown")
# SIGKILL and SIGTERM: somebody ended it, the kubelet among others when a probe failed.
_KILLED = (137, 143)


def condemning(facts: Facts, target: str, since: datetime | None, proven: bool) -> str | None:
    """Why the target is condemned: what a pod that started with it did; None if it is not.

    Of a version that has served already only a crash loop tells anything: one crash may be one image.
    """
    pods = [pod for pod in facts.pods if pod.component == "serve" and not pod.deleting and not pod.ready]
    for pod in pods:
        if pod.ended is not None and pod.ended.exit_code == BAD_SURROUNDINGS:
            # By its own word it could not have served any other version either.
            continue
        looping = pod.waiting is not None and pod.waiting.reason == "CrashLoopBackOff"
        # A pod that follows the target was started for another; in a loop it has started with this one.
        mine = pod.version == target or (pod.version is None and looping)
        if mine and _crashed(pod, since) and (looping or not proven):
            return f"pod {pod.name} crashed with it: {last_words([pod])}"
        if mine and not proven and pod.probe and _gave_up(facts) and pod.phase == "Running":
            return f"pod {pod.name} did not become ready with it: {pod.probe}"
    return None


def _crashed(pod: PodFacts, since: datetime | None) -> bool:
    end = pod.ended
    if end is None or end.container != _CONTAINER or end.reason in _NOT_STARTED or pod.phase == "Failed":
        return False
    if since is not None and end.finished_at is not None and end.finished_at < since:
        return False
    looping = pod.waiting is not None and pod.waiting.reason == "CrashLoopBackOff"
    if end.reason == "OOMKilled" or looping or pod.probe:
        return True
    return end.exit_code not in (0, *_KILLED)


def _gave_up(facts: Facts) -> bool:
    """Whether the Deployment's new pods had their time to become ready."""
    deployment = facts.children.get(("Deployment", facts.name))
    conditions = deployment.status.get("conditions") or [] if deployment else []
    return any(
        one.get("type") == "Progressing" and one.get("reason") == "ProgressDeadlineExceeded"
        for one in conditions
    )
