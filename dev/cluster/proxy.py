"""kube-proxy: rules that lead a Service's address to its pods, in a table of its own."""

import json
from pathlib import Path

from cluster.certificates import NODE
from cluster.kubeconfig import certificate_user, server, write_kubeconfig
from cluster.network import ALL_PODS, NODE_ADDRESS


def configure(folder: Path, binaries: Path, url: str, certificates: Path) -> list[str]:
    """Write kube-proxy's configuration into a folder; the command that starts it."""
    kubeconfig = write_kubeconfig(
        folder / "kube-proxy.kubeconfig",
        server(url, certificates / "ca.crt"),
        certificate_user(certificates, "proxy"),
    )
    configuration = folder / "kube-proxy.json"
    content = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "bindAddress": NODE_ADDRESS,
        "healthzBindAddress": f"{NODE_ADDRESS}:10256",
        "metricsBindAddress": f"{NODE_ADDRESS}:10249",
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "hostnameOverride": NODE,
        "clusterCIDR": ALL_PODS,
        "mode": "nftables",
        # A NodePort is offered on the node's own address, not on the machine's network.
        "nodePortAddresses": ["primary"],
        # The size of the kernel's table of connections is the machine's own affair.
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }
    configuration.write_text(json.dumps(content, indent=2))
    return [str(binaries / "kube-proxy"), f"--config={configuration}"]
