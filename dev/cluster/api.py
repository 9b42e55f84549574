"""Plain requests to an API server from one process: for the many that kubectl would be slow with."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config

Json = Any


class RefusedError(Exception):
    """The API server refused; `status` is its Status object."""

    def __init__(self, status: dict[str, Json]) -> None:
        super().__init__(status.get("message"))
        self.status = status

    @property
    def code(self) -> int:
        """The HTTP status."""
        return int(self.status["code"])

    @property
    def causes(self) -> list[tuple[str, str]]:
        """Field and message of each single problem that the server names."""
        causes = self.status.get("details", {}).get("causes", [])
        return [(cause.get("field", ""), cause["message"]) for cause in causes]


class Api:
    """Requests with the rights of a kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        self._client = new_client_from_config(config_file=str(kubeconfig))  # type: ignore[no-untyped-call]

    def get(self, path: str, **query: str) -> Json:
        """Read what is at `path`."""
        return self._ask("GET", path, None, query)

    def create(self, path: str, body: Json, **query: str) -> Json:
        """POST an object to its collection; the object as it was stored."""
        return self._ask("POST", path, body, query)

    def replace(self, path: str, body: Json, **query: str) -> Json:
        """PUT an object in the place of the one at `path`."""
        return self._ask("PUT", path, body, query)

    def patch(self, path: str, body: Json, **query: str) -> Json:
        """Merge fields into the object at `path`."""
        return self._ask("PATCH", path, body, query, "application/merge-patch+json")

    def delete(self, path: str, **query: str) -> Json:
        """Delete what is at `path`."""
        return self._ask("DELETE", path, None, query)

    def _ask(
        self, method: str, path: str, body: Json, query: Mapping[str, str], kind: str = "application/json"
    ) -> Json:
        """`query` in Kubernetes' own spelling: dryRun, fieldValidation. Raises RefusedError."""
        prepared = self._client.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params={"Content-Type": kind, "Accept": "application/json"},
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            answer = self._client.call_api(*prepared).response
        except ApiException as error:
            raise RefusedError(json.loads(error.body or "{}")) from None
        content = json.loads(answer.data)
        if not 200 <= answer.status < 300:
            raise RefusedError(content)
        return content
