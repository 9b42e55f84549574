"""`promote`: the word of a person that a candidate waits for."""

from typing import Annotated, Any

import typer

from lsb_cli.cluster.options import (
    ContextOption,
    KubeconfigOption,
    NameArgument,
    NamespaceOption,
    connected,
)
from lsb_crds.errors import UserError

Manifest = dict[str, Any]


def promote(
    name: NameArgument,
    version: Annotated[
        str | None,
        typer.Argument(metavar="VERSION", help="The version that waits [default: the only one]."),
    ] = None,
    reject: Annotated[bool, typer.Option("--reject", help="Turn it down instead.")] = False,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
) -> None:
    """Let a version take over that is better and waits for approval (training.gate.approval: Manual).

    Example: `kubectl lsb promote cats 4-0a1b2c3d`
    """
    from lsb_cli.cluster.connection import find
    from lsb_operator.kinds import BACKEND, TRAINING
    from lsb_operator.marks import APPROVED

    cluster = connected(namespace, context, kubeconfig)
    backend = find(cluster, BACKEND, name)
    of_it = [one for one in cluster.list(TRAINING) if one["spec"]["backend"] == name]
    training = waiting(backend, of_it, version)
    word = {"metadata": {"annotations": {APPROVED: "false" if reject else "true"}}}
    cluster.patch(TRAINING, training["metadata"]["name"], word)
    decided = "is turned down" if reject else "is approved, and takes over"
    typer.echo(f"Version {candidate(training)} of training {training['metadata']['name']} {decided}.")


def waiting(backend: Manifest, trainings: list[Manifest], version: str | None) -> Manifest:
    """The training whose candidate waits for approval; raises UserError where it is not clear which."""
    name, namespace = backend["metadata"]["name"], backend["metadata"]["namespace"]
    found = [one for one in trainings if (one.get("status") or {}).get("phase") == "AwaitingApproval"]
    chosen = [one for one in found if version in (None, candidate(one))]
    if len(chosen) == 1:
        return chosen[0]
    versions = ", ".join(sorted(map(candidate, found)))
    if not found:
        other = (
            f"; to serve {version} all the same: kubectl lsb pin {name} {version} -n {namespace}"
            if version
            else ""
        )
        raise UserError(f"No version of {name} waits for approval{_why(backend)}{other}")
    if version is None:
        raise UserError(f"Which one? {versions} wait: kubectl lsb promote {name} VERSION -n {namespace}")
    raise UserError(f"Version {version} of {name} does not wait for approval; {versions} does")


def candidate(training: Manifest) -> str:
    """The version that a training made."""
    return str(training["status"]["result"]["version"])


def _why(backend: Manifest) -> str:
    gate = (backend["spec"].get("training") or {}).get("gate") or {}
    manual = gate.get("approval") == "Manual"
    return "" if manual else " (training.gate.approval is Auto: what is better takes over by itself)"
