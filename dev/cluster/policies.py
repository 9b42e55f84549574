"""kube-router for NetworkPolicies alone: a process on the node that drops what no policy allows."""

import re
import shlex
from pathlib import Path

from cluster.build import Program, built
from cluster.certificates import NODE
from cluster.kubeconfig import certificate_user, server, write_kubeconfig
from cluster.network import SERVICES
from cluster.progress import Progress
from cluster.run import attempt, run

_MODULE = Path(__file__).parent / "network-policies"
_PROGRAM = Program(
    title="kube-router",
    name="kube-router",
    parts=("kube-router",),
    pin="github.com/cloudnativelabs/kube-router/v2",
    stamps=("github.com/cloudnativelabs/kube-router/v2/pkg/version.Version=v{major}.{minor}.{patch}",),
    patience="3 minutes",
    otherwise="use kind where Docker runs",
    package="github.com/cloudnativelabs/kube-router/v2/cmd/kube-router",
)
_ORIGINS = ("INPUT", "FORWARD", "OUTPUT")
_CHAIN = re.compile(r"^:((?:KUBE-ROUTER|KUBE-POD-FW|KUBE-NWPLCY)-\S+)", re.MULTILINE)
_SETS = ("KUBE-SRC-", "KUBE-DST-", "kube-router-")


def build_policies(progress: Progress) -> Path:
    """The program, built first if it is not there."""
    return built(progress, _MODULE, _PROGRAM) / "kube-router"


def configure(folder: Path, program: Path, url: str, certificates: Path) -> list[str]:
    """Write the program's kubeconfig into a folder; the command that starts it."""
    kubeconfig = write_kubeconfig(
        folder / "policies.kubeconfig",
        server(url, certificates / "ca.crt"),
        certificate_user(certificates, "policies"),
    )
    return [
        str(program),
        f"--kubeconfig={kubeconfig}",
        f"--hostname-override={NODE}",
        f"--service-cluster-ip-range={SERVICES}",
        "--run-firewall=true",
        "--run-router=false",
        "--run-service-proxy=false",
        "--run-loadbalancer=false",
        "--enable-ipv6=false",
        "--health-port=0",
        "--metrics-port=0",
    ]


def remove_rules() -> None:
    """Delete what the program has left: it is killed, and would leave everything in any case."""
    for origin in _ORIGINS:
        for rule in run("iptables", "-t", "filter", "-S", origin).splitlines():
            if rule.endswith(f"-j KUBE-ROUTER-{origin}"):
                # `-A FORWARD ...`, with quotes around the comment.
                attempt("iptables", "-t", "filter", "-D", *shlex.split(rule)[1:])
    chains = _CHAIN.findall(run("iptables-save", "-t", "filter"))
    # Chains lead to each other: all are emptied before one is deleted.
    for what in ("-F", "-X"):
        for chain in chains:
            attempt("iptables", "-t", "filter", what, chain)
    for name in run("ipset", "list", "-name").split():
        if name.startswith(_SETS):
            attempt("ipset", "destroy", name)
