"""The kubelet: its configuration for a machine that may lack rights and has no registry."""

import json
from pathlib import Path

from cluster.certificates import NODE
from cluster.containerd import SOCKET
from cluster.control_groups import ROOT
from cluster.kubeconfig import certificate_user, server, write_kubeconfig
from cluster.machine import may_raise_limits
from cluster.network import DNS_SERVICE, NODE_ADDRESS


def configure(folder: Path, binaries: Path, url: str, certificates: Path) -> list[str]:
    """Write the kubelet's configuration into a folder; the command that starts it."""
    authority = certificates / "ca.crt"
    kubeconfig = write_kubeconfig(
        folder / "kubelet.kubeconfig", server(url, authority), certificate_user(certificates, NODE)
    )
    configuration = folder / "kubelet.json"
    configuration.write_text(json.dumps(_configuration(folder, certificates), indent=2))
    return [
        str(binaries / "kubelet"),
        f"--config={configuration}",
        f"--kubeconfig={kubeconfig}",
        f"--root-dir={folder / 'kubelet'}",
        f"--cert-dir={folder / 'kubelet' / 'certificates'}",
        f"--hostname-override={NODE}",
        f"--node-ip={NODE_ADDRESS}",
    ]


def _configuration(folder: Path, certificates: Path) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_ADDRESS,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(certificates / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(certificates / f"{NODE}.crt"),
        "tlsPrivateKeyFile": str(certificates / f"{NODE}.key"),
        "healthzPort": 0,
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "podLogsDir": str(folder / "pod-logs"),
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": "cluster.local",
        # The machine's own search domains would be asked for every short name.
        "resolvConf": str(_no_resolver(folder)),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": ROOT,
        # Else it leaves chains of its own in tables that others use.
        "makeIPTablesUtilChains": False,
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        # Without the right to raise limits and scores the kubelet must not insist on them.
        "featureGates": {"KubeletInUserNamespace": not may_raise_limits()},
        # An image that is removed cannot be pulled again, and a share of a large disk is much.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1Gi", "imagefs.available": "1Gi"},
        # Of many replicas that come at once, the last waits for its turn in the defaults.
        "kubeAPIQPS": 500,
        "kubeAPIBurst": 1000,
    }


def _no_resolver(folder: Path) -> Path:
    path = folder / "resolv.conf"
    path.write_text("")
    return path
