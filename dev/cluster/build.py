"""Programs built from Go modules, the control plane first of all: once for each pinned version."""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import ClusterError
from cluster.folders import cache
from cluster.progress import Progress

MODULE = Path(__file__).parent / "control-plane"
PARTS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
)


@dataclass(frozen=True)
class Program:
    """One executable that is built from a Go module, and goes by the names of all its `parts`.

    `title` is what people call it, `name` its file, `pin` the Go module whose version it has, `package` what
    is built, `stamps` the linker's variables, which may have {major}, {minor} and {patch} in them, and
    `patience` how long the first build takes. `otherwise` says what to do on a machine without Go.
    """

    title: str
    name: str
    parts: tuple[str, ...]
    pin: str
    stamps: tuple[str, ...]
    patience: str
    otherwise: str
    package: str = "."

    def version(self, module: Path) -> tuple[str, str, str]:
        """The pinned version: major, minor, patch. Raises ClusterError."""
        found = re.search(rf"{re.escape(self.pin)} v(\d+)\.(\d+)\.(\d+)", (module / "go.mod").read_text())
        if found is None:
            raise ClusterError(f"{module / 'go.mod'}: names no version of {self.pin}")
        return found[1], found[2], found[3]


_VERSION = "k8s.io/component-base/version"
CONTROL_PLANE = Program(
    title="Kubernetes",
    name="control-plane",
    parts=PARTS,
    pin="k8s.io/kubernetes",
    # Without these the server gives a version that kubectl and Helm cannot read.
    stamps=(
        f"{_VERSION}.gitVersion=v{{major}}.{{minor}}.{{patch}}",
        f"{_VERSION}.gitMajor={{major}}",
        f"{_VERSION}.gitMinor={{minor}}",
    ),
    patience="6 to 8 minutes",
    otherwise="name a cluster with --kubeconfig, or a folder with etcd and kube-apiserver in "
    "KUBEBUILDER_ASSETS",
)


def built(progress: Progress, module: Path = MODULE, program: Program = CONTROL_PLANE) -> Path:
    """The folder with an executable for each part, built from a Go module first if it is not there.

    The build takes minutes of two cores, and seconds once Go has the packages in its own cache.
    Raises ClusterError without a Go toolchain, or with the end of what the compiler said.
    """
    folder = cache() / f"{program.name}-{_digest(module, program)}"
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.with_suffix(".lock"), program, progress):
        if not folder.exists():
            _build(module, folder, program, progress)
    return folder


def _digest(module: Path, program: Program) -> str:
    files = [module / name for name in ("go.mod", "go.sum", "main.go")]
    parts = [file.read_bytes() for file in files if file.exists()]
    return hashlib.sha256(b"\0".join([*parts, " ".join(program.parts).encode()])).hexdigest()[:12]


@contextlib.contextmanager
def _alone(lock: Path, program: Program, progress: Progress) -> Iterator[None]:
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say(f"Another process builds {program.title}: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(module: Path, folder: Path, program: Program, progress: Progress) -> None:
    go = shutil.which("go")
    if go is None:
        raise ClusterError(
            f"Go is not installed, and {program.title} is built with it: install it from "
            f"https://go.dev/dl, or {program.otherwise}"
        )
    fresh = folder.with_suffix(".partial")
    # A build that was killed has left it.
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    try:
        _compile(go, module, fresh / program.name, program, progress)
        for part in program.parts:
            if part != program.name:
                (fresh / part).symlink_to(program.name)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _compile(go: str, module: Path, target: Path, program: Program, progress: Progress) -> None:
    major, minor, patch = program.version(module)
    values = [stamp.format(major=major, minor=minor, patch=patch) for stamp in program.stamps]
    flags = " ".join(["-s -w", *(f"-X {value}" for value in values)])
    command = [go, "build", "-v", "-ldflags", flags, "-o", str(target), program.package]
    what = f"Building {program.title} v{major}.{minor}.{patch} from Go modules"
    title = f"{what} ({program.patience} the first time)"
    with (
        progress.work(title),
        subprocess.Popen(
            command,
            cwd=module,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        said = _follow(process, title, progress)
    if process.returncode:
        # What went wrong stands on lines of its own between the packages' names.
        problem = [line for line in said if " " in line][-20:] or said[-1:]
        raise ClusterError(f"{program.title} cannot be built:\n" + "\n".join(problem))


def _environment() -> dict[str, str]:
    # What the caller has set for their own Go code must not change what is built here.
    ours = {"GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off", "CGO_ENABLED": "0"}
    return {**os.environ, **ours}


def _follow(process: subprocess.Popen[str], title: str, progress: Progress) -> list[str]:
    """Read what Go says until it ends; it says nothing for a minute at a time while it links."""
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(process.stdout or ()), daemon=True)
    began = time.monotonic()
    reader.start()
    try:
        while reader.is_alive():
            reader.join(0.5)
            minutes, seconds = divmod(int(time.monotonic() - began), 60)
            progress.update(f"{title}: {len(lines)} packages, {minutes}:{seconds:02} so far")
    except BaseException:
        process.terminate()
        raise
    return [line.rstrip() for line in lines]
