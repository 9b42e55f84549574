"""What is written down about a cluster, so that another process can use it, and end it."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from identity import Identity

from cluster.files import write_privately
from cluster.source import Kind


@dataclass(frozen=True)
class Record:
    """`owner` is the process that the cluster must not outlive, None for one that lasts until it is ended.

    `node` says whether pods run in it.
    """

    source: Kind
    kubeconfig: Path
    kubectl: Path
    audit_log: Path | None
    owner: Identity | None
    node: bool = False

    @property
    def orphaned(self) -> bool:
        """Whether the process that wanted the cluster is gone."""
        return self.owner is not None and self.owner.process() is None


def read_record(folder: Path) -> Record | None:
    """The record in a cluster's folder, None where there is none."""
    try:
        content = json.loads((folder / "cluster.json").read_text())
    except FileNotFoundError:
        return None
    return Record(
        source=content["source"],
        kubeconfig=Path(content["kubeconfig"]),
        kubectl=Path(content["kubectl"]),
        audit_log=Path(content["audit_log"]) if content["audit_log"] else None,
        owner=Identity(**content["owner"]) if content["owner"] else None,
        node=content.get("node", False),
    )


def write_record(folder: Path, record: Record) -> None:
    """Write the record into a cluster's folder."""
    write_privately(folder / "cluster.json", json.dumps(asdict(record), default=os.fspath))
