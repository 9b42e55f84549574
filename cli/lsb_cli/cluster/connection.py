"""The connection to a cluster, made from a kubeconfig as kubectl does it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsb_cli.cluster.errors import MissingError, Request, refused, unreachable
from lsb_crds.errors import UserError
from lsb_operator.kinds import POD, Kind

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

Manifest = dict[str, Any]
FIELD_MANAGER = "lsb"
_CONNECT_SECONDS, _ANSWER_SECONDS, _WATCH_SECONDS = 5, 30, 60


class Cluster:
    """Requests in one namespace. Every method raises UserError, MissingError for what does not exist."""

    def __init__(self, client: "ApiClient", namespace: str) -> None:
        self._client = client
        self.namespace = namespace
        self.server = str(client.configuration.host)

    def get(self, kind: Kind, name: str) -> Manifest:
        """One object."""
        return self._json(Request("get", kind, self.namespace, name))

    def list(self, kind: Kind, **selector: str) -> list[Manifest]:
        """The objects; `selector` in Kubernetes' own spelling: labelSelector, fieldSelector."""
        found: list[Manifest] = self._json(Request("list", kind, self.namespace), query=selector)["items"]
        return found

    def create(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Create an object; the object as it was stored."""
        return self._json(Request("create", kind, self.namespace), manifest)

    def patch(self, kind: Kind, name: str, change: Manifest) -> Manifest:
        """Lay `change` over an object: a null removes a field."""
        return self._json(Request("patch", kind, self.namespace, name), change)

    def changes(self, kind: Kind, known: Manifest) -> Iterator[Manifest]:
        """The object each time it has changed since `known`, for a minute at most.

        It ends early where the object is deleted, or the server has something else to say.
        """
        about = known["metadata"]
        query = {
            "watch": "true",
            "fieldSelector": f"metadata.name={about['name']}",
            "resourceVersion": about["resourceVersion"],
            "timeoutSeconds": str(_WATCH_SECONDS),
        }
        request = Request("watch", kind, self.namespace)
        for line in self._lines(request, query, _WATCH_SECONDS + _ANSWER_SECONDS):
            event = json.loads(line)
            if event["type"] not in ("ADDED", "MODIFIED"):
                return
            yield event["object"]

    def log(self, pod: str, container: str, *, follow: bool, tail: int | None) -> Iterator[str]:
        """The lines of a container's log: its last `tail`, and with `follow` those to come."""
        query = {"container": container} | ({"follow": "true"} if follow else {})
        query |= {"tailLines": str(tail)} if tail is not None else {}
        request = Request("get", POD, self.namespace, pod, "log")
        return self._lines(request, query, None if follow else _ANSWER_SECONDS)

    def _json(
        self, request: Request, body: Manifest | None = None, query: Mapping[str, str] | None = None
    ) -> Manifest:
        from urllib3.exceptions import HTTPError

        try:
            with closing(self._ask(request, body, query or {}, _ANSWER_SECONDS)) as answer:
                found: Manifest = json.loads(answer.data)
        except (HTTPError, ValueError) as error:
            raise unreachable(self.server, error) from None
        return found

    def _lines(self, request: Request, query: Mapping[str, str], seconds: float | None) -> Iterator[str]:
        """The lines of an answer as they arrive; `seconds` is the longest silence, None: any."""
        from urllib3.exceptions import HTTPError

        rest = b""
        try:
            with closing(self._ask(request, None, query, seconds)) as answer:
                for chunk in answer.stream(decode_content=True):
                    *lines, rest = (rest + chunk).split(b"\n")
                    yield from (line.decode(errors="replace") for line in lines)
        except HTTPError as error:
            raise unreachable(self.server, error) from None
        if rest:
            yield rest.decode(errors="replace")

    def _ask(
        self, request: Request, body: Manifest | None, query: Mapping[str, str], seconds: float | None
    ) -> Any:
        """The answer of the server, not yet read. Raises UserError for a refusal, urllib3's for silence."""
        method = {"create": "POST", "patch": "PATCH"}.get(request.verb, "GET")
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        if body is not None:
            query = {**query, "fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
        prepared = self._client.param_serialize(
            method,
            request.kind.path(request.namespace, request.name, request.subresource),
            query_params=list(query.items()),
            header_params={"Content-Type": kind, "Accept": "application/json, */*"},
            body=body,
            auth_settings=["BearerToken"],
        )
        answer = self._client.call_api(*prepared, _request_timeout=(_CONNECT_SECONDS, seconds)).response
        if not 200 <= answer.status < 300:
            raise refused(request, answer.status, answer.data.decode(errors="replace"), self.server)
        return answer


def connect(namespace: str | None, context: str | None, kubeconfig: Path | None) -> Cluster:
    """Connect as a kubeconfig says; no request is made yet. Raises UserError where there is none."""
    try:
        from kubernetes import client, config
    except ModuleNotFoundError:
        raise UserError(
            "Talking to a cluster needs one more package: pip install 'lsbackends[operator]'"
        ) from None
    from yaml import YAMLError

    file = str(kubeconfig) if kubeconfig else None
    configuration = client.Configuration()
    # What urllib3 tries again by itself, it announces on stderr.
    configuration.retries = False
    try:
        config.load_kube_config(file, context, configuration)  # type: ignore[no-untyped-call]
        contexts, current = config.list_kube_config_contexts(file)  # type: ignore[no-untyped-call]
    except (config.ConfigException, OSError, YAMLError, TypeError, KeyError) as error:
        raise UserError(_no_kubeconfig(kubeconfig, context, error)) from None
    chosen = next((one for one in contexts if one["name"] == context), current)
    default = (chosen.get("context") or {}).get("namespace") or "default"
    return Cluster(client.ApiClient(configuration), namespace or default)


def find(cluster: Cluster, kind: Kind, name: str) -> Manifest:
    """The object of that name; the error for none names those that are there."""
    try:
        return cluster.get(kind, name)
    except MissingError as error:
        raise MissingError(f"{error}: {_instead(cluster, kind, name)}") from None


def _instead(cluster: Cluster, kind: Kind, name: str) -> str:
    from difflib import get_close_matches

    try:
        names = sorted(one["metadata"]["name"] for one in cluster.list(kind))
    except UserError:
        return "is it in another namespace (-n NAMESPACE)?"
    if not names:
        return "none is there at all; is it in another namespace (-n NAMESPACE)?"
    near = get_close_matches(name, names, n=3, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(near)}?"
    others = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"there is {others}; or is it in another namespace (-n NAMESPACE)?"


def _no_kubeconfig(kubeconfig: Path | None, context: str | None, error: Exception) -> str:
    where = f"--kubeconfig {kubeconfig}" if kubeconfig else "KUBECONFIG, ~/.kube/config"
    wanted = f" with the context {context}" if context else ""
    return f"There is no kubeconfig that can be used{wanted} ({where}): {error}"
