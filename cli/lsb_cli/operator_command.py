"""`lsb operator`: the Kubernetes side, as the chart's Deployment starts it."""

import os
import re
from typing import Annotated

import typer

from lsb_crds.errors import UserError

NamespaceOption = Annotated[
    list[str] | None,
    typer.Option(
        "-n", "--namespace", metavar="NAME", help="Namespace to serve; may be given several times [all]."
    ),
]


def operator(
    namespace: NamespaceOption = None,
    lease_namespace: Annotated[
        str, typer.Option("--lease-namespace", metavar="NAME", help="Namespace of the operator's Lease.")
    ] = "default",
    lease_duration: Annotated[
        int,
        typer.Option(
            "--lease-duration", min=2, metavar="SECONDS", help="After so long a silent replica is replaced."
        ),
    ] = 15,
    host: Annotated[
        str, typer.Option("--host", help="Address for probes and metrics; 0.0.0.0 in a pod.")
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option("--port", min=0, max=65535, help="Port of /livez, /readyz and /metrics; 0: a free one."),
    ] = 8080,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=100, help="Backends reconciled side by side.")
    ] = 10,
    release_finalizers: Annotated[
        str | None,
        typer.Option(
            "--release-finalizers",
            metavar="DEPLOYMENT",
            help="Stop the operator's Deployment, take its finalizer from all backends, and end. "
            "The chart does it before it is uninstalled.",
        ),
    ] = None,
) -> None:
    """Run the operator against the cluster that it is in, or that KUBECONFIG names.

    Example: `lsb operator --namespace studio`
    """
    import asyncio

    from lsb_operator.leader import Timing
    from lsb_operator.leaving import leave
    from lsb_operator.logs import log_as_json
    from lsb_operator.run import Options, run

    wrong = next(
        (one for one in namespace or [] if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", one)), None
    )
    if wrong is not None:
        raise UserError(f"--namespace {wrong}: not the name of a namespace; patterns are not supported")
    log_as_json(os.environ.get("LSB_LOG_LEVEL", "INFO").upper())
    namespaces, timing = tuple(dict.fromkeys(namespace or [])), Timing.of(lease_duration)
    options = Options(namespaces, lease_namespace, host, port, workers, timing)
    asyncio.run(run(options) if release_finalizers is None else leave(options, release_finalizers))
