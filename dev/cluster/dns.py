"""CoreDNS for the names of Services: a process on the node, behind the Service that pods ask."""

from pathlib import Path

from cluster.build import Program, built
from cluster.kubeconfig import certificate_user, server, write_kubeconfig
from cluster.network import NODE_ADDRESS
from cluster.progress import Progress

_MODULE = Path(__file__).parent / "cluster-dns"
_PROGRAM = Program(
    title="CoreDNS",
    name="coredns",
    parts=("coredns",),
    pin="github.com/coredns/coredns",
    stamps=(),
    patience="2 to 3 minutes",
    otherwise="use kind where Docker runs",
)


def build_dns(progress: Progress) -> Path:
    """The program, built first if it is not there."""
    return built(progress, _MODULE, _PROGRAM) / "coredns"


def configure(folder: Path, program: Path, url: str, certificates: Path) -> list[str]:
    """Write CoreDNS' configuration into a folder; the command that starts it."""
    kubeconfig = write_kubeconfig(
        folder / "dns.kubeconfig", server(url, certificates / "ca.crt"), certificate_user(certificates, "dns")
    )
    configuration = folder / "Corefile"
    # Nothing is forwarded: a name outside of the cluster is refused at once.
    configuration.write_text(f"""\
.:53 {{
    bind {NODE_ADDRESS}
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        kubeconfig {kubeconfig}
        pods insecure
        ttl 5
    }}
    cache 5
}}
""")
    return [str(program), "-conf", str(configuration)]
