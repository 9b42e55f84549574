"""containerd, which runs the containers: its configuration, its images, and their end."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from cluster.errors import ClusterError
from cluster.machine import may_raise_limits, plugin_folder
from cluster.processes import Processes
from cluster.run import attempt, run

RUN = Path("/run/lsbackends-node")
SOCKET = RUN / "containerd.sock"
_NAMESPACE = "k8s.io"
_RUNC = RUN / "runc"
_SECONDS = 300.0


def configure(folder: Path, sandbox_image: str, shared: Mapping[Path, Path]) -> list[str]:
    """Write containerd's configuration into a folder; the command that starts it.

    Every container sees the folders in `shared` read-only, by their path in it.
    """
    RUN.mkdir(parents=True, exist_ok=True)
    specification = folder / "container.json"
    specification.write_text(json.dumps(_specification(shared), indent=2))
    configuration = folder / "containerd.toml"
    configuration.write_text(_configuration(folder, specification, sandbox_image))
    return ["containerd", "--config", str(configuration)]


def wait_for_containerd(processes: Processes) -> None:
    """Return as soon as it answers. Raises ClusterError with the end of its log."""
    deadline = time.monotonic() + _SECONDS
    while not attempt(*_ctr("version")):
        if "containerd" in processes.ended() or time.monotonic() > deadline:
            raise ClusterError(
                f"containerd does not answer; the end of its log:\n{processes.tail('containerd')}"
            )
        time.sleep(0.05)


def import_images(archive: Path) -> None:
    """Load the images of an archive, of OCI's or Docker's kind. Raises ClusterError."""
    run(*_ctr("--namespace", _NAMESPACE, "images", "import", "--digests", str(archive)))


def image_names() -> list[str]:
    """The names of the images that are there."""
    return run(*_ctr("--namespace", _NAMESPACE, "images", "list", "--quiet")).split()


def end_containers() -> None:
    """End every container, and the processes that watched them; containerd itself must not run any more."""
    for container in sorted(_RUNC.glob(f"{_NAMESPACE}/*")):
        attempt("runc", "--root", str(container.parent), "delete", "--force", container.name)
    for process in psutil.process_iter(["name", "cmdline"]):
        arguments = process.info["cmdline"] or []
        # Our socket's path is what tells our shims from another engine's.
        if "containerd-shim" in (process.info["name"] or "") and str(SOCKET) in arguments:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)


def _ctr(*arguments: str) -> list[str]:
    return ["ctr", "--address", str(SOCKET), *arguments]


def _specification(shared: Mapping[Path, Path]) -> dict[str, object]:
    specification: dict[str, object] = json.loads(run("ctr", "oci", "spec"))
    mounts = specification["mounts"]
    assert isinstance(mounts, list)
    # The outer ones first: an environment may lie in a checkout.
    for there, here in sorted(shared.items()):
        options = ["rbind", "ro", "nosuid", "nodev"]
        mounts.append({"destination": str(there), "source": str(here), "type": "bind", "options": options})
    return specification


def _configuration(folder: Path, specification: Path, sandbox_image: str) -> str:
    restricted = str(not may_raise_limits()).lower()
    interface = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""\
version = 2
root = "{folder / "containerd"}"
state = "{RUN / "containerd"}"
[grpc]
  address = "{SOCKET}"
[{interface}]
  sandbox_image = "{sandbox_image}"
  restrict_oom_score_adj = {restricted}
  stream_server_address = "127.0.0.1"
  netns_mounts_under_state_dir = true
[{interface}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  base_runtime_spec = "{specification}"
[{interface}.containerd.runtimes.runc.options]
  Root = "{_RUNC}"
[{interface}.cni]
  bin_dir = "{plugin_folder()}"
  conf_dir = "{folder / "cni"}"
"""
