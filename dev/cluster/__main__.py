"""`python -m cluster up|down|status|kubeconfig|load`: a cluster for development, kept until it is ended."""

import argparse
import sys
from pathlib import Path

from cluster import kind
from cluster.cluster import Cluster, all_clusters, sweep
from cluster.errors import ClusterError
from cluster.extended_resources import Node
from cluster.machine import missing_packages, packages
from cluster.processes import Processes
from cluster.progress import Progress


def main() -> int:
    """Run one command; the exit code is 0 if it did what it was asked for."""
    arguments = _arguments()
    try:
        _COMMANDS[arguments.command](arguments)
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; nothing was left running.", file=sys.stderr)
        return 130
    return 0


def _up(arguments: argparse.Namespace) -> None:
    progress = Progress()
    cluster = Cluster.start(
        arguments.name,
        kubeconfig=arguments.kubeconfig,
        lasting=True,
        node=Node(gpus=arguments.gpus, checkout=not arguments.full) if arguments.node else None,
        progress=progress,
    )
    progress.say(f"Cluster {cluster.name!r} is ready. To use it:")
    print(f"export KUBECONFIG={cluster.kubeconfig}")


def _down(arguments: argparse.Namespace) -> None:
    sweep()
    cluster = Cluster.find(arguments.name)
    if cluster is None:
        print(f"There is no cluster {arguments.name!r}.")
        return
    cluster.stop()
    print(f"Cluster {arguments.name!r} is down.")


def _status(_: argparse.Namespace) -> None:
    row = "{:<16} {:<11} {:<6} {:<9} {:>8}  {}".format
    print(row("NAME", "FROM", "STATE", "NODE", "MEMORY", "KUBECONFIG"))
    for cluster in all_clusters():
        megabytes = Processes(cluster.folder).memory() // 2**20
        memory = f"{megabytes} MB" if megabytes else "-"
        state = "Ready" if cluster.ready() else "Down"
        print(row(cluster.name, cluster.source, state, cluster.describe_node(), memory, cluster.kubeconfig))


def _kubeconfig(arguments: argparse.Namespace) -> None:
    print(_found(arguments.name).kubeconfig)


def _load(arguments: argparse.Namespace) -> None:
    _found(arguments.name).load(arguments.archive)


def _packages(arguments: argparse.Namespace) -> None:
    if arguments.missing:
        # kind's node is a container, which has all that it needs.
        print(*(() if kind.usable() else missing_packages()))
    else:
        print(*packages())


def _found(name: str) -> Cluster:
    cluster = Cluster.find(name)
    if cluster is None:
        raise ClusterError(f"there is no cluster {name!r}: start one with `make cluster`")
    return cluster


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("up", "start it, and print how to use it"),
        ("down", "end it and delete what it held; a cluster that was given is only forgotten"),
        ("kubeconfig", "print where its kubeconfig is"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--name", default="dev", help="which one, if there are several (default: dev)")
        if name == "up":
            command.add_argument("--kubeconfig", type=Path, help="use this cluster, and start none")
            command.add_argument("--node", action="store_true", help="with a node, so that pods run in it")
            command.add_argument("--gpus", type=int, default=1, help="stand-in GPUs of the node (default: 1)")
            command.add_argument(
                "--full", action="store_true", help="make no stand-ins for this project's images; load them"
            )
    commands.add_parser("status", help="list the clusters, their state, node and memory")
    load = commands.add_parser("load", help="load the images of an archive into the cluster's node")
    load.add_argument("archive", type=Path, help="what `docker save` or `buildah push docker-archive:` wrote")
    load.add_argument("--name", default="dev", help="which cluster (default: dev)")
    needed = commands.add_parser("packages", help="print the Debian packages that a node needs")
    needed.add_argument(
        "--missing", action="store_true", help="only those that are not installed, and none for kind"
    )
    return parser.parse_args()


_COMMANDS = {
    "up": _up,
    "down": _down,
    "status": _status,
    "kubeconfig": _kubeconfig,
    "load": _load,
    "packages": _packages,
}

if __name__ == "__main__":
    sys.exit(main())
