"""Trainings of a pod: asked of the operator as resources, whose names make asking twice asking once."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lsb_backend.cluster import Cluster, ClusterError, Manifest
from lsb_backend.triggers.request import Reason
from lsb_backend.triggers.trainings import Progress
from lsb_crds.automatic import AUTOMATIC, Known, automatic_name
from lsb_crds.backend import LabelStudioBackend
from lsb_crds.contract import API_VERSION
from lsb_crds.errors import UserError

log = logging.getLogger(__name__)
FRESH = 1.0
"""Seconds for which a look at the trainings is believed: less than a count settles, which asks about them."""
PATIENCE = 1.0
"""Seconds that whoever wants to see the trainings waits for a new look, before getting the last one."""
_BACKEND = "lsbackends.dev/backend"


class ClusterTrainings:
    """Asks for trainings of `backend` in `cluster` (None: this pod has no rights there).

    `on_look` is told the end of the last training, and why trainings cannot be looked at.
    """

    def __init__(
        self,
        cluster: Cluster | None,
        backend: LabelStudioBackend,
        on_look: Callable[[str | None, str | None], None],
    ) -> None:
        self._cluster = cluster
        self._backend = backend
        self._on_look = on_look
        self._progress: Progress | None = None
        self._looked_at = -FRESH
        self._looking: asyncio.Task[None] | None = None
        self._problem: str | None = None

    async def start(self, reason: Reason) -> str:
        """Ask for a training; the name of the one that learns what is annotated now. Raises UserError."""
        if self._cluster is None:
            raise UserError(
                "This pod cannot ask for a training: it has no token of a ServiceAccount, "
                "which the operator mounts where training.triggers are on."
            )
        return await asyncio.to_thread(self._ask, self._cluster, reason)

    async def current(self) -> Progress | None:
        """The training that runs or waits, as it was seen a few seconds ago."""
        if self._cluster is None:
            return None
        if self._looking is None and time.monotonic() - self._looked_at >= FRESH:
            self._looking = asyncio.create_task(self._look(self._cluster))
        if self._looking is not None:
            await asyncio.wait({self._looking}, timeout=PATIENCE)
        return self._progress

    def _ask(self, cluster: Cluster, reason: Reason) -> str:
        there = cluster.trainings(self._backend.metadata.name)
        known = [_known(one) for one in there]
        waiting = next((one.name for one in known if one.reason in AUTOMATIC and not one.ended), None)
        if waiting is not None:
            return waiting
        name = automatic_name(self._backend.metadata.name, known)
        asked = cluster.create_training(training(self._backend, name, reason))
        log.info("Training %s %s", name, "was asked for" if asked else "was asked for by somebody else")
        return name

    async def _look(self, cluster: Cluster) -> None:
        problem = None
        try:
            there = await asyncio.to_thread(cluster.trainings, self._backend.metadata.name)
            self._progress = running(there)
            self._on_look(last_end(there), None)
        except ClusterError as error:
            problem = str(error)
            self._on_look(None, problem)
        finally:
            self._looked_at, self._looking = time.monotonic(), None
        if (problem is None) is not (self._problem is None):
            log.info("Trainings can be seen again") if problem is None else log.warning("%s", problem)
        self._problem = problem


def training(backend: LabelStudioBackend, name: str, reason: Reason) -> Manifest:
    """A LabelStudioTraining that goes with its backend."""
    about = backend.metadata
    metadata: Manifest = {"name": name, "labels": {_BACKEND: about.name}}
    if about.uid is not None:
        owner = {"apiVersion": API_VERSION, "kind": backend.kind, "name": about.name, "uid": about.uid}
        metadata["ownerReferences"] = [owner | {"controller": True}]
    spec = {"backend": about.name, "reason": reason.value}
    return {"apiVersion": API_VERSION, "kind": "LabelStudioTraining", "metadata": metadata, "spec": spec}


def running(trainings: Sequence[Manifest]) -> Progress | None:
    """The training that is furthest on, of those that have not ended."""
    order = ("Evaluating", "Running", "Queued", "Pending")
    open_ones = [(_phase(one), one) for one in trainings if not _known(one).ended]
    ranked = sorted(open_ones, key=lambda one: (order.index(one[0]), _created(one[1])))
    for phase, one in ranked[:1]:
        status = one.get("status") or {}
        found = {"run": one["metadata"]["name"], "phase": phase, "message": str(status.get("message") or "")}
        with contextlib.suppress(ValueError):
            return Progress.model_validate({**_figures(status.get("progress") or {}), **found})
        return Progress.model_validate(found)
    return None


def last_end(trainings: Sequence[Manifest]) -> str | None:
    """How the training that ended last did, in words; None before the first."""
    ended = [one for one in trainings if _known(one).ended]
    if not ended:
        return None
    newest = max(ended, key=lambda one: (str(one["status"].get("finishedAt") or ""), _created(one)))
    status = newest["status"]
    return f"{newest['metadata']['name']}: {status['phase']}, {status.get('message') or 'no message'}"


def _figures(progress: Mapping[str, Any]) -> dict[str, Any]:
    return {key: progress[key] for key in ("epoch", "epochs", "metrics") if key in progress}


def _known(training: Manifest) -> Known:
    phase = (training.get("status") or {}).get("phase")
    return Known(training["metadata"]["name"], training["spec"].get("reason") or "Manual", phase)


def _phase(training: Manifest) -> str:
    return str((training.get("status") or {}).get("phase") or "Pending")


def _created(training: Manifest) -> str:
    return str(training["metadata"].get("creationTimestamp") or "")
