"""The Kubernetes API as our pods use it: trainings are asked for, looked at, and reported on.

Synchronous, because the training program is; the server calls it in threads. Nothing is kept between two
calls, so that a token or a certificate that Kubernetes has renewed is used from the next one on.
"""

import contextlib
import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from lsb_crds.contract import API_VERSION
from lsb_crds.errors import UserError

Manifest = dict[str, Any]
FIELD_MANAGER: Final = "lsb-trainer"
"""Owner of what a trainer writes into the status of its training."""
ACCOUNT_FOLDER: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
ACCOUNT_VARIABLE: Final = "LSB_SERVICE_ACCOUNT_FOLDER"
TIMEOUT = 10.0
_MOST_BYTES = 32 << 20
_JSON, _APPLY = "application/json", "application/apply-patch+yaml"


class ClusterError(UserError):
    """The API server cannot be reached, or refuses; `status` is its HTTP status."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Cluster:
    """The API server at `host` and `port`, with the rights of the ServiceAccount mounted in `account`."""

    host: str
    port: int
    account: Path
    namespace: str

    @classmethod
    def around(cls, environ: Mapping[str, str], namespace: str) -> "Cluster | None":
        """The cluster that this process runs in; None where it is in none, or has no account there."""
        host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT", "443")
        account = Path(environ.get(ACCOUNT_VARIABLE, ACCOUNT_FOLDER))
        if not host or not port.isdigit() or not (account / "token").is_file():
            return None
        return cls(host, int(port), account, namespace)

    def trainings(self, backend: str) -> list[Manifest]:
        """The trainings of a backend. Raises ClusterError."""
        query = urlencode({"fieldSelector": f"spec.backend={backend}"})
        items: list[Manifest] = self._ask("GET", f"?{query}")["items"]
        return items

    def create_training(self, training: Manifest) -> bool:
        """Ask for a training; False if one of that name exists. Raises ClusterError."""
        try:
            self._ask("POST", "", training, _JSON)
        except ClusterError as error:
            if error.status == http.client.CONFLICT:
                return False
            raise
        return True

    def apply_training_status(self, name: str, status: Manifest) -> None:
        """Own these fields of a training's status, and no others. Raises ClusterError."""
        body = {
            "apiVersion": API_VERSION,
            "kind": "LabelStudioTraining",
            "metadata": {"name": name},
            "status": status,
        }
        query = urlencode({"fieldManager": FIELD_MANAGER, "force": "true"})
        self._ask("PATCH", f"/{name}/status?{query}", body, _APPLY)

    def _ask(self, method: str, path: str, body: Manifest | None = None, kind: str = _JSON) -> Manifest:
        url = f"/apis/{API_VERSION}/namespaces/{self.namespace}/labelstudiotrainings{path}"
        headers = {"Accept": _JSON, "Content-Type": kind}
        try:
            headers["Authorization"] = f"Bearer {(self.account / 'token').read_text().strip()}"
            trusted = ssl.create_default_context(cafile=str(self.account / "ca.crt"))
            # No proxy: this is the cluster that the pod is in.
            connection = http.client.HTTPSConnection(self.host, self.port, timeout=TIMEOUT, context=trusted)
            with contextlib.closing(connection):
                connection.request(method, url, json.dumps(body) if body is not None else None, headers)
                answer = connection.getresponse()
                data = answer.read(_MOST_BYTES)
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or error
            raise ClusterError(f"The Kubernetes API cannot be reached: {reason}.") from error
        return _understood(answer.status, data)


def _understood(status: int, data: bytes) -> Manifest:
    try:
        content = json.loads(data)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ClusterError(f"The Kubernetes API answers {status}, and not as Kubernetes does.", status)
    if not 200 <= status < 300:
        said = content.get("message") or content.get("reason") or "no reason is given"
        raise ClusterError(f"The Kubernetes API refuses ({status}): {said}", status)
    return content
