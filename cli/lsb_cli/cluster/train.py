"""`train NAME`: asking the operator for a training, and seeing it through."""

import typer

from lsb_cli.cluster.options import (
    AnywayOption,
    ContextOption,
    EpochsOption,
    KubeconfigOption,
    NameArgument,
    NamespaceOption,
    WaitOption,
    connected,
)


def train(
    name: NameArgument,
    epochs: EpochsOption = None,
    force: AnywayOption = False,
    wait: WaitOption = False,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    kubeconfig: KubeconfigOption = None,
) -> None:
    """Ask for a training on what is annotated now; the new version serves if it is better.

    With `--wait` it ends with 0 when a better version took over, 3 when it was not better, 4 when it waits
    for approval, 5 when another training covers it, 42 when the annotations do not suffice, and 1 when it
    failed.

    Example: `kubectl lsb train cats --wait`
    """
    from lsb_cli.cluster.asking import training
    from lsb_cli.cluster.connection import find
    from lsb_cli.cluster.watching import see_through
    from lsb_operator.kinds import BACKEND, TRAINING

    cluster = connected(namespace, context, kubeconfig)
    backend = find(cluster, BACKEND, name)
    asked = cluster.create(TRAINING, training(backend, epochs, force))
    called = asked["metadata"]["name"]
    typer.echo(f"Training {called} of {name} was asked for.")
    if backend["spec"].get("suspend"):
        back = f"kubectl lsb resume {name} -n {cluster.namespace}"
        typer.echo(f"It waits: {name} is paused. Back with: {back}", err=True)
    if wait:
        raise typer.Exit(see_through(cluster, asked))
    typer.echo(f"See how it goes: kubectl get lstraining {called} -n {cluster.namespace} -w")
