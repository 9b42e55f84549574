"""Containers that cannot start, end, or do not answer."""

import re
from datetime import datetime, timedelta

from lsb_operator.facts import PodFacts, Terminated
from lsb_operator.failures.failure import Failure, field_of, one_line, said
from lsb_operator.reasons import Reason

_PULL_REASONS = (
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
)
_CREATE_REASONS = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
_HOPELESS = re.compile(
    r"not found|manifest unknown|unauthorized|denied|forbidden|authentication required|not present"
    r"|no match for platform",
    re.IGNORECASE,
)
_PAUSE = re.compile(r'^Back-off pulling image "[^"]*": (ErrImagePull: )?')
_ACCIDENTS = 2
"""Restarts of a container that can be chance; its state alone changes with every try."""
_PATIENCE = timedelta(minutes=2)
"""How long a container that has started may be unready: it loads its model, or has too much to do."""


def image(pod: PodFacts) -> Failure | None:
    """An image that no node can pull."""
    waiting = pod.waiting
    field = f"{field_of(pod.component)}.image"
    if waiting and waiting.reason == "InvalidImageName":
        what = f"The image {pod.image!r} of pod {pod.name} is not a valid name"
        return Failure(Reason.IMAGE_NOT_PULLED, what, f"correct {field}", stalled=True)
    if waiting is None or waiting.reason not in _PULL_REASONS:
        return None
    # Tries and pauses take turns: both must read the same, or the status would never come to rest.
    words = one_line(_PAUSE.sub("", waiting.message)) or waiting.reason
    what = f"The image {pod.image} of pod {pod.name} cannot be pulled; the node says: {words}"
    remedy = f"check {field}, the registry, and the credentials in {field_of(pod.component)}.imagePullSecrets"
    return Failure(Reason.IMAGE_NOT_PULLED, what, remedy, stalled=bool(_HOPELESS.search(waiting.message)))


def creation(pod: PodFacts) -> Failure | None:
    """A container that the node refuses to create, for another reason than a missing reference."""
    waiting = pod.waiting
    if waiting is None or waiting.reason not in _CREATE_REASONS:
        return None
    what = (
        f"Container {waiting.container} of pod {pod.name} cannot be created; the node says: "
        f"{waiting.reason}: {one_line(waiting.message)}"
    )
    field = f"{field_of(pod.component)}.image"
    if "run as root" in waiting.message or "non-numeric user" in waiting.message:
        remedy = f"give {field} an image whose USER is a number other than 0"
    elif "executable file not found" in waiting.message or "no such file" in waiting.message:
        remedy = f"give {field} an image of lsbackends, or one built on it"
    else:
        remedy = f"compare the message with {field} and {field_of(pod.component)}.env"
    return Failure(Reason.CONTAINER_NOT_CREATED, what, remedy, stalled=True)


def crash(pod: PodFacts, namespace: str) -> Failure | None:
    """A container that ended though it should run, or that ended badly."""
    ended = pod.ended
    if ended is None or ended.exit_code == 0 or (pod.ready and not pod.waiting):
        return None
    looping = pod.restarts >= _ACCIDENTS
    if ended.reason == "OOMKilled":
        what = f"Container {ended.container} of pod {pod.name} was killed for want of memory"
        remedy = f"raise {field_of(pod.component)}.resources.limits.memory"
        return Failure(Reason.OUT_OF_MEMORY, what, remedy, stalled=looping)
    what = (
        f"Container {ended.container} of pod {pod.name} ended with exit code {ended.exit_code}"
        f"{_restarted(pod.restarts)}{_last_words(ended)}"
    )
    previous = " --previous" if pod.restarts else ""
    remedy = f"read its log: kubectl -n {namespace} logs {pod.name} -c {ended.container}{previous}"
    return Failure(Reason.CRASHING, what, remedy, stalled=looping)


def probe(pod: PodFacts, namespace: str, now: datetime) -> Failure | None:
    """A container that runs, and does not answer as a ready one does, for longer than that takes."""
    if pod.probe is None or pod.ready or pod.waiting is not None:
        return None
    # A start that takes too long the kubelet ends itself, which it knows by the startup probe.
    if not pod.restarts and (not pod.started or probe_due(pod, now) is not None):
        return None
    what = f"Pod {pod.name} runs, and fails its probe; the node says: {one_line(pod.probe)}"
    return Failure(Reason.PROBE_FAILING, what, f"read its log: kubectl -n {namespace} logs {pod.name}")


def probe_due(pod: PodFacts, now: datetime) -> float | None:
    """Seconds until a probe that fails is more than an ordinary start; None where time tells nothing new."""
    if pod.probe is None or pod.restarts or not pod.started or pod.unready_since is None:
        return None
    left = (pod.unready_since + _PATIENCE - now).total_seconds()
    return left if left > 0 else None


def eviction(pod: PodFacts) -> Failure | None:
    """A pod that its node threw out."""
    if pod.phase != "Failed" or pod.reason in (None, "Completed"):
        return None
    words = f"{pod.reason}: {one_line(pod.message)}" if pod.message else str(pod.reason)
    what = f"Pod {pod.name} was thrown out by its node {pod.node}: {words}"
    field = f"{field_of(pod.component)}.resources.requests"
    remedy = f"raise {field} (memory, ephemeral-storage), so that a node with room is chosen"
    return Failure(Reason.EVICTED, what, remedy)


def _restarted(restarts: int) -> str:
    if not restarts:
        return ""
    return " and was started again once" if restarts == 1 else f" and was started again {restarts} times"


def _last_words(ended: Terminated) -> str:
    words = said(ended)
    return f"; its last message: {words}" if words else ""
