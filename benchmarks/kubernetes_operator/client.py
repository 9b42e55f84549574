"""One plain client of the API server: as fast as Python can send what is there to be sent."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.aio.client import Configuration
from kubernetes.aio.config import load_kube_config

from lsb_operator.kinds import SECRET, child_kind
from lsb_operator.names import FIELD_MANAGER

_APPLY = {"fieldManager": FIELD_MANAGER, "force": "true"}


@dataclass(frozen=True)
class Client:
    """Requests over a limited number of connections."""

    session: aiohttp.ClientSession

    async def apply(self, manifest: dict[str, Any]) -> None:
        """Server-side apply of a child; a Secret is created, as the operator has no more rights than that."""
        kind, metadata = child_kind(manifest["apiVersion"], manifest["kind"]), manifest["metadata"]
        if kind is SECRET:
            await self.create(kind.path(metadata["namespace"]), manifest)
            return
        path = kind.path(metadata["namespace"], metadata["name"])
        headers = {"Content-Type": "application/apply-patch+yaml"}
        async with self.session.patch(path, json=manifest, params=_APPLY, headers=headers) as answer:
            await _read(answer)

    async def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST an object to its collection; the object as it was stored."""
        async with self.session.post(path, json=body) as answer:
            return await _read(answer)

    async def list(self, path: str, **query: str) -> list[dict[str, Any]]:
        """Read a whole collection."""
        async with self.session.get(path, params=query) as answer:
            return (await _read(answer)).get("items") or []

    async def merge(self, path: str, body: dict[str, Any]) -> None:
        """Merge `body` into an object."""
        headers = {"Content-Type": "application/merge-patch+json"}
        async with self.session.patch(path, json=body, headers=headers) as answer:
            await _read(answer)

    async def delete(self, path: str) -> None:
        """Delete an object, and in the background what it owns."""
        async with self.session.delete(path) as answer:
            await _read(answer)

    async def apply_all(self, manifests: Iterable[dict[str, Any]]) -> None:
        """Apply as many side by side as there are connections."""
        await asyncio.gather(*(self.apply(one) for one in manifests))


@asynccontextmanager
async def connect(kubeconfig: Path, connections: int) -> AsyncIterator[Client]:
    """A client with the rights of a kubeconfig, for as long as the context lasts."""
    configuration = Configuration()
    await load_kube_config(str(kubeconfig), client_configuration=configuration)  # type: ignore[no-untyped-call]
    tls = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if configuration.cert_file:
        tls.load_cert_chain(configuration.cert_file, keyfile=configuration.key_file)
    token = await configuration.get_api_key_with_prefix("BearerToken")
    async with aiohttp.ClientSession(
        str(configuration.host),
        connector=aiohttp.TCPConnector(limit=connections, ssl=tls),
        headers={"Authorization": token} if token else {},
        # With many requests waiting for few connections, the last one waits for as long as all take.
        timeout=aiohttp.ClientTimeout(total=None, sock_read=60),
    ) as session:
        yield Client(session)


async def _read(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    body: dict[str, Any] = await answer.json()
    if not answer.ok:
        raise SystemExit(f"{answer.method} {answer.url.path}: {answer.status} {body.get('message')}")
    return body
