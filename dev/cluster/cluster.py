"""One cluster: start it, talk to it, end it."""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from identity import Identity

from cluster.containerd import import_images
from cluster.control_plane import start_control_plane, stop_control_plane
from cluster.errors import ClusterError, KubectlError
from cluster.extended_resources import Node
from cluster.folders import cluster_folder, clusters
from cluster.kind import load_into_kind, start_kind, stop_kind
from cluster.kubeconfig import token_user, write_kubeconfig
from cluster.mounts import mounts_below
from cluster.node import describe, prepare_node, start_node, stop_node
from cluster.progress import Progress
from cluster.record import Record, read_record, write_record
from cluster.source import Source, find_source

_PATIENT = 60
"""Seconds for an answer before a cluster is taken for dead: the machine may be crowded."""


class Cluster:
    """A Kubernetes API that answers.

    `kubeconfig` is the administrator's; `audit_log` has one JSON object a line for each request that was
    answered, and is None for a cluster that writes none here. `node` says whether pods run in it.
    """

    def __init__(self, name: str, folder: Path, record: Record) -> None:
        self.name, self.folder = name, folder
        self.source, self.kubeconfig = record.source, record.kubeconfig
        self.audit_log, self.node = record.audit_log, record.node
        self.kubectl_path = record.kubectl

    @classmethod
    def start(
        cls,
        name: str,
        *,
        kubeconfig: Path | None = None,
        lasting: bool = False,
        node: Node | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Start a cluster: in 4 s, or after the minutes that its parts need to be built the first time.

        With a `node` pods run in it; a machine has one such cluster at a time, if it is not kind's.
        It ends with this process at the latest (the next start clears away what a killed one left), unless it
        is `lasting`. A lasting one that runs already is returned as it is. Raises ClusterError.
        """
        progress = progress or Progress()
        source = find_source(kubeconfig, progress)
        if node is not None and source.kind == "binaries":
            prepare_node(source.path or Path(), node, progress)
        sweep()
        folder = cluster_folder(name)
        with _alone():
            running, record = cls.find(name), read_record(folder)
            wanted = record is not None and record.owner is not None and not record.orphaned
            # Somebody else's is never ended, however slowly it answers.
            if running is not None and (wanted or running.ready(_PATIENT)):
                if lasting and not wanted and running.node == (node is not None):
                    return running
                raise ClusterError(f"a cluster {name!r} runs already: take another name, or end it with down")
            _end(name, folder)
            owner = None if lasting else Identity.of(os.getpid())
            return cls._start(name, folder, source, _record(source, folder, owner, node), node, progress)

    @classmethod
    def _start(
        cls, name: str, folder: Path, source: Source, record: Record, node: Node | None, progress: Progress
    ) -> Self:
        folder.mkdir(parents=True, mode=0o700)
        write_record(folder, record)
        cluster = cls(name, folder, record)
        try:
            if source.kind == "kind":
                start_kind(folder, name, node)
            elif source.kind == "binaries" and node is not None:
                start_node(folder, source.path or Path(), node, progress)
            elif source.kind == "binaries":
                start_control_plane(folder, source.path or Path())
            cluster.kubectl("get", "--raw", "/readyz")
        except BaseException:
            _end(name, folder)
            raise
        return cluster

    @classmethod
    def find(cls, name: str) -> Self | None:
        """The cluster of that name, whether or not it answers; None where none was started."""
        folder = cluster_folder(name)
        record = read_record(folder)
        return cls(name, folder, record) if record else None

    def ready(self, seconds: int = 5) -> bool:
        """Whether the API server answers within `seconds`."""
        try:
            self.kubectl("get", "--raw", "/readyz", f"--request-timeout={seconds}s")
        except KubectlError:
            return False
        return True

    def kubectl(self, *arguments: str, input: str | None = None, kubeconfig: Path | None = None) -> str:
        """Run kubectl as the administrator, or as `kubeconfig` says; what it prints. Raises KubectlError."""
        command = [str(self.kubectl_path), f"--kubeconfig={kubeconfig or self.kubeconfig}"]
        command += [f"--cache-dir={self.folder / 'kubectl'}", *arguments]
        done = subprocess.run(command, input=input, capture_output=True, text=True)
        if done.returncode:
            raise KubectlError(done.stderr.strip() or f"kubectl {' '.join(arguments)}: {done.returncode}")
        return done.stdout

    def describe_node(self) -> str:
        """Its node in a few words, for people."""
        if not self.node:
            return "-"
        return describe(self.folder) if self.source == "binaries" else "yes"

    def load(self, archive: Path) -> None:
        """Load the images of an archive (`docker save`, `buildah push docker-archive:`) into the node.

        Raises ClusterError where there is no node of ours to load them into.
        """
        if not self.node or self.source == "kubeconfig":
            raise ClusterError(
                f"images cannot be loaded into the cluster {self.name!r}: start it with NODE=1, or push them "
                "to a registry that it pulls from"
            )
        if self.source == "kind":
            load_into_kind(self.name, archive)
        else:
            import_images(archive)

    def service_account_kubeconfig(self, namespace: str, name: str) -> Path:
        """A kubeconfig of a ServiceAccount that exists, with a token of its own for a day."""
        token = self.kubectl("create", "token", name, f"--namespace={namespace}", "--duration=24h").strip()
        path = self.folder / "kubeconfigs" / f"{namespace}-{name}"
        return write_kubeconfig(path, self._server(), token_user(token))

    def stop(self) -> None:
        """End the cluster, unless it was given: then it is only forgotten."""
        with _alone():
            _end(self.name, self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _server(self) -> dict[str, Any]:
        view = json.loads(self.kubectl("config", "view", "--raw", "--minify", "--flatten", "--output=json"))
        server: dict[str, Any] = view["clusters"][0]["cluster"]
        return server


def all_clusters() -> list[Cluster]:
    """Every cluster that was started and not ended."""
    folders = sorted(clusters().iterdir()) if clusters().exists() else []
    return [cluster for folder in folders if folder.is_dir() and (cluster := Cluster.find(folder.name))]


def sweep() -> None:
    """End the clusters whose owners are gone."""
    for cluster in all_clusters():
        with _alone():
            record = read_record(cluster.folder)
            if record is not None and record.orphaned:
                _end(cluster.name, cluster.folder)


def _record(source: Source, folder: Path, owner: Identity | None, node: Node | None) -> Record:
    given = source.path if source.kind == "kubeconfig" else None
    audit_log = folder / "audit.log" if source.kind == "binaries" else None
    return Record(
        source.kind, given or folder / "kubeconfig", source.kubectl, audit_log, owner, node is not None
    )


def _end(name: str, folder: Path) -> None:
    record = read_record(folder)
    if record is not None and record.source == "kind":
        stop_kind(folder, name)
    elif record is not None and record.source == "binaries":
        stop_control_plane(folder)
        if record.node:
            stop_node(folder)
    if left := mounts_below(folder):
        raise ClusterError(f"{left[0]} is mounted, and {folder} is not deleted: unmount it and try again")
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Held by one process at a time: nobody ends what somebody else is starting."""
    lock = clusters() / "lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
