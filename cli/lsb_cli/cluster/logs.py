"""`logs`: what the pods of a backend, or of its training, have printed."""

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lsb_cli.cluster.options import (
    ContextOption,
    KubeconfigOption,
    NameArgument,
    NamespaceOption,
    connected,
)
from lsb_crds.errors import UserError

if TYPE_CHECKING:
    from lsb_cli.cluster.connection import Cluster

Manifest = dict[str, Any]
_OURS = ("serve", "lsb")
"""Names of the containers in serving pods and in those of Jobs."""


def logs(
    name: NameArgument,
    training: Annotated[
        bool, typer.Option("--training", help="Of the training that runs, else of the last one.")
    ] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what is printed from now on.")] = False,
    tail: Annotated[int | None, typer.Option("--tail", min=0, metavar="N", help="Last lines only.")] = None,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
) -> None:
    """Print the log of the serving pods that there are now, or of a training.

    Example: `kubectl lsb logs cats --training --follow`
    """
    from lsb_cli.cluster.connection import find
    from lsb_operator.kinds import BACKEND

    cluster = connected(namespace, context, kubeconfig)
    backend = find(cluster, BACKEND, name)
    pods = _training_pods(cluster, backend) if training else _serving_pods(cluster, backend)
    streams = [_prefixed(cluster, pod, len(pods) > 1, follow, tail) for pod in pods]
    for line in _together(streams) if follow and len(streams) > 1 else chain(*streams):
        typer.echo(line)


def _serving_pods(cluster: "Cluster", backend: Manifest) -> list[Manifest]:
    from lsb_operator.names import selector

    name = backend["metadata"]["name"]
    pods = _pods(cluster, selector(name, "serve"))
    if not pods:
        conditions = (backend.get("status") or {}).get("conditions") or []
        why = next((one["message"] for one in conditions if one["type"] == "Ready"), "is the operator there?")
        raise UserError(f"{name} has no serving pod: {why}")
    return pods


def _training_pods(cluster: "Cluster", backend: Manifest) -> list[Manifest]:
    """The newest pod of the training: earlier ones are attempts that were given up."""
    from lsb_operator.marks import TRAINING

    name, status = backend["metadata"]["name"], backend.get("status") or {}
    current = (status.get("training") or {}).get("name")
    known = [current] if current else [one["name"] for one in status.get("lastTrainings") or []]
    for training in known:
        pods = _pods(cluster, {TRAINING: training})
        if pods:
            return pods[-1:]
    if current:
        raise UserError(
            f"Training {current} of {name} has no pod yet: "
            f"kubectl get lstraining {current} -n {cluster.namespace} -o wide"
        )
    raise UserError(f"No training of {name} has a pod; a finished one keeps its log for a day")


def _pods(cluster: "Cluster", labels: dict[str, str]) -> list[Manifest]:
    """The pods with these labels, oldest first."""
    from lsb_operator.kinds import POD

    found = cluster.list(POD, labelSelector=",".join(f"{key}={value}" for key, value in labels.items()))
    return sorted(found, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))


def _prefixed(
    cluster: "Cluster", pod: Manifest, prefix: bool, follow: bool, tail: int | None
) -> Iterator[str]:
    name = pod["metadata"]["name"]
    if not pod["spec"].get("nodeName"):
        # The API server would answer with an empty log.
        raise UserError(f"Pod {name} waits for a node: kubectl describe pod {name} -n {cluster.namespace}")
    for line in cluster.log(name, _container(pod), follow=follow, tail=tail):
        yield f"[{name}] {line}" if prefix else line


def _container(pod: Manifest) -> str:
    """Ours, whatever others a service mesh has put beside it."""
    names = [str(one["name"]) for one in pod["spec"]["containers"]]
    return next((name for name in names if name in _OURS), names[0])


def _together(streams: list[Iterator[str]]) -> Iterator[str]:
    """The lines of all streams as they come, until the last one has ended."""
    from queue import Queue
    from threading import Thread

    waiting: Queue[str | UserError | None] = Queue(maxsize=1000)

    def read(stream: Iterator[str]) -> None:
        try:
            for line in stream:
                waiting.put(line)
        except UserError as error:
            waiting.put(error)
        finally:
            waiting.put(None)

    for stream in streams:
        # A daemon: who stops reading does not wait for a pod to end.
        Thread(target=read, args=(stream,), daemon=True).start()
    left = len(streams)
    while left:
        item = waiting.get()
        if item is None:
            left -= 1
        elif isinstance(item, UserError):
            # The other pods have something to say all the same.
            typer.echo(f"warning: {item}", err=True)
        else:
            yield item
