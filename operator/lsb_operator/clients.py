"""The connections to the API server: one for kopf's watches, one for all other requests."""

import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config
from kubernetes.aio.dynamic import DynamicClient

from lsb_crds.errors import UserError
from lsb_operator.kinds import WATCHED
from lsb_operator.listing import Handler, Listing, ParsedOnce

WRITE_CONNECTIONS = 20
_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class NoClusterError(UserError):
    """There is no API server to talk to."""


@dataclass(frozen=True, slots=True)
class Clients:
    """Where the API server is, and the client for requests."""

    configuration: Configuration
    dynamic: DynamicClient

    @property
    def server(self) -> str:
        """Address of the API server."""
        return str(self.configuration.host)

    def watching(self, listing: Listing, scopes: int) -> aiohttp.ClientSession:
        """A session for kopf, which holds a connection for each kind in each of `scopes` namespaces.

        kopf's own session opens as many connections as it has requests: a thousand at once, measured.
        """
        connector = aiohttp.TCPConnector(limit=len(WATCHED) * scopes + 5, ssl=_tls(self.configuration))
        return aiohttp.ClientSession(
            connector=connector,
            middlewares=(self._authorize, listing),
            response_class=ParsedOnce,
            proxy=self.configuration.proxy,
        )

    async def _authorize(self, request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        # Asked for with every request: a mounted token is replaced while the operator runs.
        token = await self.configuration.get_api_key_with_prefix("BearerToken")
        if token is not None:
            request.headers["Authorization"] = token
        return await handler(request)


@asynccontextmanager
async def connect() -> AsyncIterator[Clients]:
    """Connect as this pod's ServiceAccount, or as KUBECONFIG (~/.kube/config) says.

    Raises NoClusterError where there is neither.
    """
    configuration = Configuration()
    configuration.connection_pool_maxsize = WRITE_CONNECTIONS
    # Looking for a proxy in the environment takes a thread, and half of what a request costs.
    configuration.client_session_kwargs = {"trust_env": False}
    try:
        if (_SERVICE_ACCOUNT / "token").exists() and "KUBECONFIG" not in os.environ:
            load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        else:
            await load_kube_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError) as error:
        raise NoClusterError(
            f"No cluster to talk to: {error}. Run in a pod, or set KUBECONFIG to a kubeconfig file."
        ) from None
    async with ApiClient(configuration) as client:
        yield Clients(configuration, DynamicClient(client))  # type: ignore[no-untyped-call]


def _tls(configuration: Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert, cadata=configuration.ca_cert_data)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, keyfile=configuration.key_file)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
