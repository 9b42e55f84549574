"""Does what the pure functions ask for: Jobs, trainings and their status, the finalizer, Events."""

import logging
import uuid
from datetime import UTC, datetime

from lsb_operator.actions import (
    ENDED_SECONDS,
    Action,
    ApplyTrainingStatus,
    CreateJob,
    CreateTraining,
    DeleteJob,
    DeleteTraining,
    EndJob,
    KeepJobFor,
    SetFinalizer,
)
from lsb_operator.api import Api, ApiError
from lsb_operator.apply import NameTakenError
from lsb_operator.cache import Cache
from lsb_operator.events import Event
from lsb_operator.facts import Manifest
from lsb_operator.kinds import BACKEND, EVENT, JOB, TRAINING, Kind
from lsb_operator.logs import about
from lsb_operator.marks import FINALIZER
from lsb_operator.names import FIELD_MANAGER
from lsb_operator.observe import owned

log = logging.getLogger(__name__)


class Executor:
    """Carries actions out for one backend after the other; `identity` is this process in Events."""

    def __init__(self, api: Api, cache: Cache, identity: str) -> None:
        self._api = api
        self._cache = cache
        self._identity = identity

    async def do(self, action: Action, backend: Manifest) -> None:
        """One action. Raises ApiError, and NameTakenError for a Job or training whose name others have."""
        namespace = backend["metadata"]["namespace"]
        match action:
            case CreateJob(manifest):
                await self._create(JOB, manifest, backend)
            case CreateTraining(manifest):
                await self._create(TRAINING, manifest, backend)
            case DeleteJob(name, uid, _, event):
                # Told twice is better than not at all.
                if event is not None:
                    await self.tell(backend, event)
                await self._api.delete(JOB, {"namespace": namespace, "name": name, "uid": uid})
            case EndJob(name):
                body = {"spec": {"activeDeadlineSeconds": ENDED_SECONDS}}
                await self._unless_gone(JOB, namespace, name, body)
            case DeleteTraining(name, uid):
                await self._api.delete(TRAINING, {"namespace": namespace, "name": name, "uid": uid})
            case KeepJobFor(name, seconds):
                body = {"spec": {"ttlSecondsAfterFinished": seconds}}
                await self._unless_gone(JOB, namespace, name, body)
            case ApplyTrainingStatus(name, status):
                await self._training_status(namespace, name, status)
            case SetFinalizer(present, event):
                await self._finalizer(backend, present)
                if event is not None:
                    await self.tell(backend, event)

    async def report(self, backend: Manifest, status: Manifest) -> None:
        """Write the backend's status; fine if the backend is gone."""
        metadata = {name: backend["metadata"][name] for name in ("name", "namespace", "uid")}
        body = {
            "apiVersion": BACKEND.api_version,
            "kind": BACKEND.name,
            "metadata": metadata,
            "status": status,
        }
        await self._apply_status(BACKEND, body)

    async def tell(self, backend: Manifest, event: Event) -> None:
        """Post an Event; one that cannot be posted is in the log alone."""
        metadata = backend["metadata"]
        key = (metadata["namespace"], metadata["name"])
        log.info("%s: %s", event.reason, event.message, extra=about(key))
        try:
            await self._api.create(EVENT, _event(backend, event, self._identity))
        except ApiError as error:
            log.warning("an Event could not be posted: %s", error, extra=about(key))

    async def _create(self, kind: Kind, manifest: Manifest, backend: Manifest) -> None:
        made = await self._api.create(kind, manifest)
        if made is not None:
            self._cache.remember(kind.name, made)
            return
        metadata = manifest["metadata"]
        there = await self._api.get(kind, metadata["namespace"], metadata["name"])
        if there is not None and not _of(kind, there, backend):
            raise NameTakenError(f"{kind.name} {metadata['name']}")

    async def _training_status(self, namespace: str, name: str, status: Manifest) -> None:
        body = {
            "apiVersion": TRAINING.api_version,
            "kind": TRAINING.name,
            "metadata": {"name": name, "namespace": namespace},
            "status": status,
        }
        await self._apply_status(TRAINING, body)

    async def _apply_status(self, kind: Kind, body: Manifest) -> None:
        try:
            answer = await self._api.apply(kind, body, subresource="status")
        except ApiError as error:
            if error.status != 404:
                raise
        else:
            self._cache.remember(kind.name, answer)

    async def _finalizer(self, backend: Manifest, present: bool) -> None:
        metadata = backend["metadata"]
        others = [one for one in metadata.get("finalizers") or [] if one != FINALIZER]
        wanted = [*others, FINALIZER] if present else others
        # Only if nobody has changed the list since it was read.
        body = {"metadata": {"finalizers": wanted, "resourceVersion": metadata["resourceVersion"]}}
        await self._unless_gone(BACKEND, metadata["namespace"], metadata["name"], body)

    async def _unless_gone(self, kind: Kind, namespace: str, name: str, body: Manifest) -> None:
        try:
            answer = await self._api.patch(kind, namespace, name, body)
        except ApiError as error:
            if error.status != 404:
                raise
        else:
            if "deletionTimestamp" not in answer["metadata"]:
                self._cache.remember(kind.name, answer)


def _of(kind: Kind, there: Manifest, backend: Manifest) -> bool:
    """Whether what has the name is this backend's: anybody may ask for a training, and says whose it is."""
    if kind is TRAINING:
        return bool(there["spec"]["backend"] == backend["metadata"]["name"])
    return owned(there["metadata"], backend)


def _event(backend: Manifest, event: Event, identity: str) -> Manifest:
    metadata = backend["metadata"]
    now = datetime.now(UTC)
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.name,
        "metadata": {
            "name": f"{metadata['name']}.{uuid.uuid4().hex[:16]}",
            "namespace": metadata["namespace"],
        },
        "involvedObject": {
            "apiVersion": BACKEND.api_version,
            "kind": BACKEND.name,
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
        "type": event.type,
        "reason": event.reason,
        "message": event.message,
        "action": event.reason,
        "count": 1,
        "firstTimestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lastTimestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "source": {"component": FIELD_MANAGER},
        "reportingComponent": FIELD_MANAGER,
        "reportingInstance": identity,
    }
