"""The few requests that the operator makes, in plain data, and what their refusals mean."""

import json
from typing import Any

import aiohttp
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.dynamic import DynamicClient
from kubernetes.aio.dynamic.exceptions import DynamicApiError

from lsb_operator.facts import Manifest
from lsb_operator.kinds import Kind
from lsb_operator.names import FIELD_MANAGER

TIMEOUT = 30.0
_METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_NOT_NOW = (408, 409, 429, 500, 502, 503, 504)


class ApiError(Exception):
    """The API server refused, or could not be asked (status 0)."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}" if status else message)
        self.status = status
        self.reason = reason
        self.message = message

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed in a moment, with nobody doing anything about it."""
        return self.status == 0 or self.status in _NOT_NOW


class Api:
    """Requests about single objects; each raises ApiError."""

    def __init__(self, client: DynamicClient) -> None:
        self._client = client

    async def apply(
        self, kind: Kind, manifest: Manifest, *, force: bool = True, subresource: str = ""
    ) -> Manifest:
        """Server-side apply; the object as it is then."""
        metadata = manifest["metadata"]
        return await self._request(
            "patch",
            kind.path(metadata["namespace"], metadata["name"], subresource),
            body=manifest,
            content_type="application/apply-patch+yaml",
            field_manager=FIELD_MANAGER,
            force_conflicts=force,
        )

    async def create(self, kind: Kind, manifest: Manifest) -> Manifest | None:
        """Make the object; None if there is one of this name."""
        path = kind.path(manifest["metadata"]["namespace"])
        try:
            return await self._request("post", path, body=manifest, field_manager=FIELD_MANAGER)
        except ApiError as error:
            if error.reason == "AlreadyExists":
                return None
            raise

    async def get(self, kind: Kind, namespace: str | None, name: str) -> Manifest | None:
        """The object; None if there is none."""
        return await self._get(kind.path(namespace, name), {})

    async def read(self, path: str) -> Manifest | None:
        """What is at a path of no single object, such as a list; None if there is nothing."""
        return await self._get(path, {})

    async def metadata(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """The object's metadata alone; None if there is none."""
        return await self._get(kind.path(namespace, name), {"Accept": _METADATA_ONLY})

    async def replace(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Write the whole object, if it still has the resourceVersion that it was read with."""
        metadata = manifest["metadata"]
        path = kind.path(metadata["namespace"], metadata["name"])
        return await self._request("put", path, body=manifest, field_manager=FIELD_MANAGER)

    async def patch(self, kind: Kind, namespace: str, name: str, body: Manifest) -> Manifest:
        """Merge `body` into the object; with a resourceVersion in it, only if it is still that one."""
        content_type = "application/merge-patch+json"
        path = kind.path(namespace, name)
        return await self._request(
            "patch", path, body=body, content_type=content_type, field_manager=FIELD_MANAGER
        )

    async def delete(self, kind: Kind, metadata: Manifest) -> None:
        """Delete this very object, and in the background what it owns; fine if it is gone already."""
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {"uid": metadata["uid"]},
        }
        path = kind.path(metadata["namespace"], metadata["name"])
        try:
            await self._request("delete", path, body=options)
        except ApiError as error:
            if error.status not in (404, 409):
                raise

    async def _get(self, path: str, headers: dict[str, str]) -> Manifest | None:
        try:
            return await self._request("get", path, header_params=headers)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def _request(self, method: str, path: str, **parameters: Any) -> Manifest:
        try:
            response = await self._client.request(
                method, path, serialize=False, _request_timeout=TIMEOUT, **parameters
            )
            return await response.json()  # type: ignore[no-any-return]
        except (DynamicApiError, ApiException) as error:
            raise _explained(error) from None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            why = str(error) or type(error).__name__
            raise ApiError(0, type(error).__name__, f"{method.upper()} {path}: {why}") from None


def _explained(error: DynamicApiError | ApiException) -> ApiError:
    try:
        answer = json.loads(error.body or "{}")
    except (ValueError, TypeError):
        answer = {}
    if not isinstance(answer, dict):
        answer = {}
    reason = str(answer.get("reason") or error.reason or "")
    return ApiError(int(error.status or 0), reason, str(answer.get("message") or error.reason or ""))
