"""The node's network: its address, the pods' bridge, and walls so that nothing leaves the machine."""

import json
import re
from pathlib import Path

from cluster.run import attempt, run

NODE_ADDRESS = "10.244.255.1"
SERVICES = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
PODS = "10.244.0.0/24"
ALL_PODS = "10.244.0.0/16"
NETWORK = "lsbackends"
"""Name of the pods' network, by which their rules are known again."""

_NODE, _POD_BRIDGE, _TABLE = "lsb-node", "lsb-pods", "lsbackends"
_TABLES = (("inet", _TABLE), ("ip", "kube-proxy"), ("ip6", "kube-proxy"))
_RESULTS = Path("/var/lib/cni/results")
_HOST_PORTS = "CNI-HOSTPORT-DNAT"

# Pods speak with each other and with the node; nobody else reaches them, and they reach nobody else.
_WALLS = f"""
table inet {_TABLE} {{
  chain forward {{
    type filter hook forward priority filter - 10; policy accept;
    iifname "{_POD_BRIDGE}" oifname != {{ "{_POD_BRIDGE}", "{_NODE}" }} reject
    oifname "{_POD_BRIDGE}" iifname != {{ "{_POD_BRIDGE}", "{_NODE}" }} drop
  }}
  chain input {{
    type filter hook input priority filter - 10; policy accept;
    iifname != {{ "{_POD_BRIDGE}", "{_NODE}", "lo" }} ip daddr {{ {ALL_PODS}, {SERVICES} }} drop
  }}
}}
"""


def start_network(folder: Path) -> None:
    """Make the node's address, and write the network plugin's configuration and state below `folder`.

    Raises ClusterError with the words of the program that fails.
    """
    # A bridge without ports stands for a network card: not every kernel has the driver `dummy`.
    run("ip", "link", "add", _NODE, "type", "bridge")
    run("ip", "address", "add", f"{NODE_ADDRESS}/32", "dev", _NODE)
    run("ip", "link", "set", _NODE, "up")
    # Before there are rules for a Service, what is sent to it would go out by the default route.
    for addresses in (SERVICES, ALL_PODS):
        run("ip", "route", "add", addresses, "dev", _NODE)
    run("nft", "--file", "-", input=_WALLS)
    _configure(folder)


def stop_network() -> None:
    """Remove the interfaces, and the rules of the walls, of the Services and of host ports."""
    for family, table in _TABLES:
        attempt("nft", "delete", "table", family, table)
    _remove_host_ports()
    for interface in (_POD_BRIDGE, _NODE):
        attempt("ip", "link", "delete", interface)
    for result in _RESULTS.glob(f"{NETWORK}-*-eth0"):
        sandbox = result.name.removeprefix(f"{NETWORK}-").removesuffix("-eth0")
        (_RESULTS / f"cni-loopback-{sandbox}-lo").unlink(missing_ok=True)
        result.unlink(missing_ok=True)


def _configure(folder: Path) -> None:
    bridge = {
        "type": "bridge",
        "bridge": _POD_BRIDGE,
        "isGateway": True,
        "isDefaultGateway": True,
        "hairpinMode": True,
        "ipMasq": False,
        "ipam": {
            "type": "host-local",
            "dataDir": str(folder / "addresses"),
            "ranges": [[{"subnet": PODS}]],
        },
    }
    host_ports = {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True}
    plugins = {"cniVersion": "0.4.0", "name": NETWORK, "plugins": [bridge, host_ports]}
    target = folder / "cni" / "10-lsbackends.conflist"
    target.parent.mkdir(parents=True)
    target.write_text(json.dumps(plugins, indent=2))


def _remove_host_ports() -> None:
    """Delete what the plugin `portmap` has left of killed pods; nobody else's chains are touched."""
    if not attempt("iptables", "-t", "nat", "-n", "-L", _HOST_PORTS):
        return
    for rule in run("iptables", "-t", "nat", "-S", _HOST_PORTS).splitlines():
        chain = re.search(r"-j (CNI-DN-\w+)", rule)
        if chain and f'name: \\"{NETWORK}\\"' in rule:
            _delete_rules(_HOST_PORTS, chain[1])
            _delete_chain(chain[1])
    if not _rules(_HOST_PORTS):
        for origin in ("PREROUTING", "OUTPUT", "POSTROUTING"):
            _delete_rules(origin, "CNI-HOSTPORT-")
        for name in (_HOST_PORTS, "CNI-HOSTPORT-SETMARK", "CNI-HOSTPORT-MASQ"):
            _delete_chain(name)


def _rules(chain: str) -> list[str]:
    """The chain's rules, each with its number first."""
    return run("iptables", "-t", "nat", "-n", "-L", chain, "--line-numbers").splitlines()[2:]


def _delete_rules(chain: str, target: str) -> None:
    # From the last one on, because the numbers of those behind a deleted one change.
    for rule in reversed(_rules(chain)):
        if target in rule:
            attempt("iptables", "-t", "nat", "-D", chain, rule.split()[0])


def _delete_chain(chain: str) -> None:
    attempt("iptables", "-t", "nat", "-F", chain)
    attempt("iptables", "-t", "nat", "-X", chain)
