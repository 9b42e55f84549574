"""Where a cluster comes from: given, of binaries that are there, of containers, or built."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cluster import kind
from cluster.build import built
from cluster.errors import ClusterError
from cluster.progress import Progress

Kind = Literal["kubeconfig", "binaries", "kind"]


@dataclass(frozen=True)
class Source:
    """`path` is the kubeconfig that was given, or the folder of binaries; `kubectl` the one that fits it."""

    kind: Kind
    path: Path | None
    kubectl: Path


def find_source(kubeconfig: Path | None, progress: Progress) -> Source:
    """The first of these that is there; the last one is built, which takes minutes once.

    `kubeconfig` or LSB_KUBECONFIG; KUBEBUILDER_ASSETS; kind where Docker runs; Go modules. Raises
    ClusterError for one that was named and cannot be used: nothing else is taken in its place.
    """
    if given := kubeconfig or _named("LSB_KUBECONFIG"):
        if not given.is_file():
            raise ClusterError(f"{given}: there is no such kubeconfig")
        return Source("kubeconfig", given.absolute(), _installed_kubectl())
    if assets := _named("KUBEBUILDER_ASSETS"):
        return _assets(assets.absolute())
    if kind.usable():
        return Source("kind", None, _installed_kubectl())
    binaries = built(progress)
    return Source("binaries", binaries, binaries / "kubectl")


def _assets(folder: Path) -> Source:
    missing = [name for name in ("etcd", "kube-apiserver") if not (folder / name).is_file()]
    if missing:
        raise ClusterError(
            f"KUBEBUILDER_ASSETS={folder}: has no {' and no '.join(missing)}; put them there or unset it"
        )
    own = folder / "kubectl"
    return Source("binaries", folder, own if own.is_file() else _installed_kubectl())


def _named(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None


def _installed_kubectl() -> Path:
    found = shutil.which("kubectl")
    if found is None:
        raise ClusterError("kubectl is not installed: install it from https://kubernetes.io/docs/tasks/tools")
    return Path(found)
