"""`pin`, `pause` and `resume`: changing one field of a backend's spec in the cluster."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lsb_cli.cluster.options import (
    ContextOption,
    KubeconfigOption,
    NameArgument,
    NamespaceOption,
    OverGitOption,
    connected,
)
from lsb_crds.errors import UserError

if TYPE_CHECKING:
    from lsb_cli.cluster.connection import Cluster

VersionArgument = Annotated[
    str | None, typer.Argument(metavar="VERSION", help="The version to serve, such as 3-1a2b3c4d.")
]
NoneOption = Annotated[bool, typer.Option("--none", help="Serve the newest promoted version again.")]


def pin(
    name: NameArgument,
    version: VersionArgument = None,
    none: NoneOption = False,
    force: OverGitOption = False,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
) -> None:
    """Serve one version whatever is promoted later.

    Example: `kubectl lsb pin cats 3-1a2b3c4d`, and back: `kubectl lsb pin cats --none`
    """
    if (version is None) is not none:
        raise UserError(f"Name one version, or --none: kubectl lsb pin {name} 3-1a2b3c4d")
    change = {"model": {"version": version}}
    cluster = connected(namespace, context, kubeconfig)
    if not _edit(cluster, name, "spec.model.version", change, force):
        typer.echo(f"{name} is pinned to {version} already." if version else f"{name} is not pinned.")
    elif version:
        look = f"kubectl get lsb {name} -n {cluster.namespace} -w"
        typer.echo(f"{name} is pinned to {version}; see it take over: {look}")
    else:
        typer.echo(f"{name} is no longer pinned; the newest promoted version serves.")


def pause(
    name: NameArgument,
    force: OverGitOption = False,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
) -> None:
    """End the pods and begin no training; volume, Service and registration stay.

    Example: `kubectl lsb pause cats`
    """
    cluster = connected(namespace, context, kubeconfig)
    changed = _edit(cluster, name, "spec.suspend", {"suspend": True}, force)
    back = f"{name} is paused; back with: kubectl lsb resume {name} -n {cluster.namespace}"
    typer.echo(back if changed else f"{name} was paused.")


def resume(
    name: NameArgument,
    force: OverGitOption = False,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
) -> None:
    """Serve again after a pause.

    Example: `kubectl lsb resume cats`
    """
    cluster = connected(namespace, context, kubeconfig)
    changed = _edit(cluster, name, "spec.suspend", {"suspend": False}, force)
    typer.echo(
        f"{name} serves again as soon as its pods are ready." if changed else f"{name} was not paused."
    )


def _edit(cluster: "Cluster", name: str, field: str, change: dict[str, Any], force: bool) -> bool:
    """Lay a change of `field` over the spec; whether there was anything to change."""
    from lsb_cli.cluster.argocd import may_edit
    from lsb_cli.cluster.connection import find
    from lsb_operator.kinds import BACKEND

    backend = find(cluster, BACKEND, name)
    if _has(backend["spec"], change):
        return False
    may_edit(backend, field, force)
    cluster.patch(BACKEND, name, {"spec": change})
    return True


def _has(spec: dict[str, Any], change: dict[str, Any]) -> bool:
    """Whether the spec says already what the change would make it say."""
    return all(
        _has(spec.get(key) or {}, value) if isinstance(value, dict) else spec.get(key) == value
        for key, value in change.items()
    )
