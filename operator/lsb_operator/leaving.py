"""The operator's end in a cluster: backends that outlive it must not wait for it when they are deleted."""

import asyncio
import logging
from collections.abc import AsyncIterator
from urllib.parse import urlencode

from lsb_crds.errors import UserError
from lsb_operator.api import Api, ApiError
from lsb_operator.clients import connect
from lsb_operator.facts import Manifest
from lsb_operator.kinds import BACKEND, child_kind
from lsb_operator.leader import Leader
from lsb_operator.marks import FINALIZER
from lsb_operator.run import LEASE, Options, identity

PATIENCE = 120.0
"""Seconds for the operator to end: it gets half a minute, and its Lease runs out after that."""
_PAGE = 500
_PASSES = 10

log = logging.getLogger(__name__)


class LeavingError(UserError):
    """The operator's finalizer is still on backends."""


async def leave(options: Options, deployment: str) -> None:
    """Stop the operator, and take its finalizer from every backend that it served. Raises LeavingError.

    Nothing is taken out of Label Studio: the backends go on. `deployment` is in the namespace of the Lease.
    """
    async with connect() as clients:
        api = Api(clients.dynamic)
        await _stop(api, options.lease_namespace, deployment)
        leader = Leader(api, options.lease_namespace, LEASE, identity(), options.timing)
        # An operator that is still at work would put it back.
        try:
            async with asyncio.timeout(PATIENCE):
                await leader.acquire()
        except TimeoutError:
            lease = f"{options.lease_namespace}/{LEASE}"
            raise LeavingError(
                f"An operator still holds the Lease {lease} after {PATIENCE:.0f} s. To do: see why "
                f"Deployment {deployment} does not stop, and uninstall again."
            ) from None
        try:
            await _release_all(api, options.namespaces)
        finally:
            await leader.release()


async def _stop(api: Api, namespace: str, deployment: str) -> None:
    try:
        await api.patch(
            child_kind("apps/v1", "Deployment"), namespace, f"{deployment}/scale", {"spec": {"replicas": 0}}
        )
        log.info("Deployment %s has no replicas any more", deployment)
    except ApiError as error:
        if error.status != 404:
            raise LeavingError(f"Deployment {deployment} could not be stopped: {error}") from None


async def _release_all(api: Api, namespaces: tuple[str, ...]) -> None:
    """Release until a look at all of them finds none: somebody else may write them meanwhile."""
    released = 0
    for _ in range(_PASSES):
        held = [one async for one in _held(api, namespaces)]
        if not held:
            log.info("%d backends were released; they can be deleted without the operator", released)
            return
        for backend in held:
            released += await _release(api, backend)
    names = ", ".join(f"{one['metadata']['namespace']}/{one['metadata']['name']}" for one in held[:5])
    raise LeavingError(f"Finalizer {FINALIZER} is still on {names}. To do: uninstall again.")


async def _held(api: Api, namespaces: tuple[str, ...]) -> AsyncIterator[Manifest]:
    for namespace in namespaces or (None,):
        rest = ""
        while True:
            query = {"limit": str(_PAGE)} | ({"continue": rest} if rest else {})
            answer = await _page(api, f"{BACKEND.path(namespace)}?{urlencode(query)}")
            for backend in answer.get("items") or []:
                if FINALIZER in (backend["metadata"].get("finalizers") or []):
                    yield backend
            rest = (answer.get("metadata") or {}).get("continue") or ""
            if not rest:
                break


async def _page(api: Api, path: str) -> Manifest:
    """Part of a list; empty where there is no such kind (any more)."""
    try:
        return await api.read(path) or {}
    except ApiError as error:
        raise LeavingError(f"The backends could not be listed: {error}") from None


async def _release(api: Api, backend: Manifest) -> bool:
    metadata = backend["metadata"]
    others = [one for one in metadata["finalizers"] if one != FINALIZER]
    # Only if nobody has changed the list since it was read.
    body = {"metadata": {"finalizers": others, "resourceVersion": metadata["resourceVersion"]}}
    try:
        await api.patch(BACKEND, metadata["namespace"], metadata["name"], body)
    except ApiError as error:
        if error.status in (404, 409):
            return False
        raise LeavingError(
            f"{metadata['namespace']}/{metadata['name']} could not be released: {error}"
        ) from None
    return True
