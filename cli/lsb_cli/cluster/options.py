"""Options of every command about a cluster, spelt as kubectl spells them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lsb_cli.cluster.connection import Cluster

PANEL = "In a cluster"

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A LabelStudioBackend in the cluster.")]
NamespaceOption = Annotated[
    str | None,
    typer.Option(
        "-n",
        "--namespace",
        metavar="NAMESPACE",
        help="Namespace of NAME [default: the context's].",
        rich_help_panel=PANEL,
    ),
]
ContextOption = Annotated[
    str | None,
    typer.Option(
        "--context",
        metavar="CONTEXT",
        help="Context of the kubeconfig [default: the current one].",
        rich_help_panel=PANEL,
    ),
]
KubeconfigOption = Annotated[
    Path | None,
    typer.Option(
        "--kubeconfig",
        metavar="FILE",
        help="Kubeconfig file [default: KUBECONFIG, else ~/.kube/config].",
        rich_help_panel=PANEL,
    ),
]
OverGitOption = Annotated[
    bool,
    typer.Option(
        "--force", help="Do it although Git says otherwise, and Argo CD will undo it.", rich_help_panel=PANEL
    ),
]
EpochsOption = Annotated[
    int | None,
    typer.Option(
        "--epochs",
        min=1,
        max=10_000,
        metavar="N",
        help="Passes over the data at most [default: as in the backend].",
        rich_help_panel=PANEL,
    ),
]
AnywayOption = Annotated[
    bool,
    typer.Option(
        "--force", help="Train although too few annotations are there, or none is new.", rich_help_panel=PANEL
    ),
]
WaitOption = Annotated[
    bool,
    typer.Option(
        "--wait", help="Show how it goes until it ends; the exit code says how.", rich_help_panel=PANEL
    ),
]


def connected(namespace: str | None, context: str | None, kubeconfig: Path | None) -> "Cluster":
    """The cluster that the three options name."""
    # Not at the top: the client takes half a second to load, which `--help` must not wait for.
    from lsb_cli.cluster.connection import connect

    return connect(namespace, context, kubeconfig)
