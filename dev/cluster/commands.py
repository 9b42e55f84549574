"""The command line of each part of a control plane."""

from dataclasses import dataclass
from pathlib import Path

Command = list[str]

_LOOPBACK = "127.0.0.1"

AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
"""


@dataclass(frozen=True)
class Layout:
    """Where the parts of one control plane are on the disk, and on which ports of 127.0.0.1.

    `address` is the API server's; pods cannot reach a loopback address, so a node's cluster has another.
    """

    folder: Path
    binaries: Path
    etcd: int
    peers: int
    api: int
    address: str = _LOOPBACK

    @property
    def node(self) -> bool:
        """Whether the cluster has a node on this machine."""
        return self.address != _LOOPBACK

    @property
    def certificates(self) -> Path:
        """The folder of certificates and keys."""
        return self.folder / "certificates"

    @property
    def audit_log(self) -> Path:
        """One JSON object a line, for each request that was answered."""
        return self.folder / "audit.log"

    @property
    def audit_policy(self) -> Path:
        """What is written into the audit log."""
        return self.folder / "audit-policy.yaml"

    @property
    def url(self) -> str:
        """The API server's address."""
        return f"https://{self.address}:{self.api}"

    def kubeconfig(self, name: str) -> Path:
        """The kubeconfig of one of the control plane's own parts."""
        return self.folder / "kubeconfigs" / name


def etcd(layout: Layout) -> Command:
    """etcd, which forgets everything with a power cut: nobody waits for a disk."""
    client, peer = f"http://127.0.0.1:{layout.etcd}", f"http://127.0.0.1:{layout.peers}"
    return [
        str(layout.binaries / "etcd"),
        f"--data-dir={layout.folder / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def api_server(layout: Layout) -> Command:
    """The API server, with the authorization of a production cluster, and OpenShift's on owner references."""
    certificates = layout.certificates
    return [
        str(layout.binaries / "kube-apiserver"),
        f"--etcd-servers=http://127.0.0.1:{layout.etcd}",
        f"--bind-address={layout.address}",
        f"--secure-port={layout.api}",
        f"--advertise-address={layout.address}",
        *_toward_pods(layout),
        "--service-cluster-ip-range=10.96.0.0/16",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement",
        f"--client-ca-file={certificates / 'ca.crt'}",
        f"--tls-cert-file={certificates / 'server.crt'}",
        f"--tls-private-key-file={certificates / 'server.key'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={certificates / 'service-accounts.crt'}",
        f"--service-account-signing-key-file={certificates / 'service-accounts.key'}",
        f"--audit-policy-file={layout.audit_policy}",
        f"--audit-log-path={layout.audit_log}",
        "--profiling=false",
    ]


def _toward_pods(layout: Layout) -> Command:
    certificates = layout.certificates
    if not layout.node:
        # Endpoints must not be loopback addresses, and nothing in this cluster asks for its API by a Service.
        return ["--endpoint-reconciler-type=none"]
    return [
        f"--kubelet-certificate-authority={certificates / 'ca.crt'}",
        f"--kubelet-client-certificate={certificates / 'kubelet-client.crt'}",
        f"--kubelet-client-key={certificates / 'kubelet-client.key'}",
        "--kubelet-preferred-address-types=InternalIP",
    ]


def controller_manager(layout: Layout) -> Command:
    """The controllers, each with the rights of its own ServiceAccount."""
    return [
        str(layout.binaries / "kube-controller-manager"),
        f"--kubeconfig={layout.kubeconfig('controller-manager')}",
        "--use-service-account-credentials",
        f"--service-account-private-key-file={layout.certificates / 'service-accounts.key'}",
        f"--root-ca-file={layout.certificates / 'ca.crt'}",
        # A node that a test has made up sends no heartbeats, and must not be taken for lost; a real one that
        # is slow because the machine is crowded must not be either.
        "--node-monitor-grace-period=24h",
        # The default of 20 requests a second makes the start, where each controller logs in, 5 s longer.
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--leader-elect=false",
        "--secure-port=0",
    ]


def scheduler(layout: Layout) -> Command:
    """The scheduler."""
    return [
        str(layout.binaries / "kube-scheduler"),
        f"--kubeconfig={layout.kubeconfig('scheduler')}",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--leader-elect=false",
        "--secure-port=0",
    ]
