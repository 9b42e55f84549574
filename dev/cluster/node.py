"""A node of processes on this machine: started in order, waited for, and ended with all that it made."""

import shutil
import socket
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cluster import containerd, dns, kubelet, network, policies, proxy
from cluster.api import Api, RefusedError
from cluster.certificates import NODE
from cluster.commands import Layout
from cluster.control_groups import make_control_groups, remove_control_groups
from cluster.control_plane import start_control_plane
from cluster.errors import ClusterError
from cluster.extended_resources import GPU, Node
from cluster.machine import check_machine
from cluster.mounts import unmount_below
from cluster.oci import write_archive
from cluster.processes import Processes
from cluster.progress import Progress
from cluster.run import run
from cluster.stand_ins import SANDBOX_IMAGE, shared_folders, stand_ins
from cluster.sysctls import restore_sysctls, set_sysctls

_SECONDS = 300.0
_OWNER = Path("/run/lsbackends-node.owner")
_OBJECTS = Path(__file__).parent / "node.yaml"


def prepare_node(binaries: Path, node: Node, progress: Progress) -> None:
    """Check the machine, and make what takes minutes the first time. Raises ClusterError."""
    check_machine()
    missing = [part for part in ("kubelet", "kube-proxy") if not (binaries / part).exists()]
    if missing:
        raise ClusterError(
            f"{binaries}: has no {' and no '.join(missing)}: unset KUBEBUILDER_ASSETS for a node"
        )
    dns.build_dns(progress)
    policies.build_policies(progress)
    stand_ins(node.checkout, progress)


def start_node(folder: Path, binaries: Path, node: Node, progress: Progress) -> None:
    """Start a control plane and a node, and return when pods can be run. Raises ClusterError."""
    _take_the_machine(folder)
    set_sysctls(folder)
    make_control_groups()
    network.start_network(folder)
    processes = Processes(folder)
    shared = shared_folders(node.checkout)
    processes.start("containerd", containerd.configure(folder, SANDBOX_IMAGE, shared))
    with ThreadPoolExecutor(1) as beside:
        images = beside.submit(_load_stand_ins, processes, node, progress)
        layout = start_control_plane(folder, binaries, (network.NODE_ADDRESS, network.API_SERVICE))
        images.result()
    _start_parts(layout, node, processes, progress)
    _wait(Api(folder / "kubeconfig"), node, processes)


def stop_node(folder: Path) -> None:
    """End what a node has left, whose own processes have been ended."""
    if _owner() != folder:
        return
    containerd.end_containers()
    for mounted in (folder, containerd.RUN):
        unmount_below(mounted)
    policies.remove_rules()
    network.stop_network()
    remove_control_groups()
    restore_sysctls(folder)
    shutil.rmtree(containerd.RUN, ignore_errors=True)
    _OWNER.unlink()


def _take_the_machine(folder: Path) -> None:
    """One at a time: two would write their rules over each other's."""
    try:
        # Unlike a file, a link is made with what it says in one step.
        _OWNER.symlink_to(folder)
    except FileExistsError:
        other = _owner()
        name = other.name if other else "?"
        raise ClusterError(
            f"the cluster {name!r} has this machine's node, and there is one at a time: end it with "
            f"`python -m cluster down --name {name}`, or delete {_OWNER} if {other} is gone"
        ) from None


def _owner() -> Path | None:
    try:
        return _OWNER.readlink()
    except FileNotFoundError:
        return None


def _load_stand_ins(processes: Processes, node: Node, progress: Progress) -> None:
    images = stand_ins(node.checkout, progress)
    containerd.wait_for_containerd(processes)
    with tempfile.NamedTemporaryFile(suffix=".tar") as archive:
        write_archive(Path(archive.name), images)
        containerd.import_images(Path(archive.name))


def _start_parts(layout: Layout, node: Node, processes: Processes, progress: Progress) -> None:
    folder, url, certificates = layout.folder, layout.url, layout.certificates
    program = dns.build_dns(progress)
    processes.start("kubelet", kubelet.configure(folder, layout.binaries, url, certificates))
    processes.start("kube-proxy", proxy.configure(folder, layout.binaries, url, certificates))
    kubectl = (str(layout.binaries / "kubectl"), f"--kubeconfig={folder / 'kubeconfig'}")
    run(*kubectl, "apply", f"--filename={_OBJECTS}")
    processes.start("dns", dns.configure(folder, program, url, certificates))
    program = policies.build_policies(progress)
    processes.start("policies", policies.configure(folder, program, url, certificates))
    arguments = [str(folder / "kubeconfig"), str(folder / "volumes"), str(node.gpus)]
    python = ["env", f"PYTHONPATH={_OBJECTS.parents[1]}", sys.executable]
    processes.start("keeper", [*python, "-m", "cluster.keeper", *arguments])


def _wait(api: Api, wanted: Node, processes: Processes) -> None:
    """Until the node takes pods, and a Service's name and address both lead somewhere."""
    deadline = time.monotonic() + _SECONDS
    while not (_node_ready(api, wanted) and _name_is_known()):
        for name in processes.ended():
            raise ClusterError(
                f"{name} ended while the node started; the end of its log:\n{processes.tail(name)}"
            )
        if time.monotonic() > deadline:
            raise ClusterError(
                f"the node is not ready after {_SECONDS:.0f} s; the end of the kubelet's log:\n"
                + processes.tail("kubelet")
            )
        time.sleep(0.1)


def _node_ready(api: Api, wanted: Node) -> bool:
    try:
        node = api.get(f"/api/v1/nodes/{NODE}")
    except RefusedError:
        return False
    ready = any(
        it["type"] == "Ready" and it["status"] == "True" for it in node["status"].get("conditions", ())
    )
    gpus = int(node["status"].get("allocatable", {}).get(GPU, "0"))
    return ready and gpus == wanted.gpus and not node["spec"].get("taints")


def _name_is_known() -> bool:
    """Whether the Service of the DNS answers; only kube-proxy's rules lead to it."""
    question = b"\x12\x34\x01\x00\x00\x01" + bytes(6)
    for label in ("kubernetes", "default", "svc", "cluster", "local"):
        question += bytes([len(label)]) + label.encode()
    question += b"\x00\x00\x01\x00\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.5)
        try:
            client.sendto(question, (network.DNS_SERVICE, 53))
            answer = client.recv(512)
        except OSError:
            return False
    return answer[3] & 15 == 0 and socket.inet_aton(network.API_SERVICE) in answer


def describe(folder: Path) -> str:
    """The node in a few words, for a list of clusters."""
    names = ("containerd", "kubelet", "kube-proxy", "dns", "policies", "keeper")
    ended = [name for name in names if name not in Processes(folder).running()]
    return f"without {', '.join(ended)}" if ended else NODE
