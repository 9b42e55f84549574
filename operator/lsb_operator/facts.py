"""What is known about one backend: all that the pure functions of the operator decide from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from lsb_crds.decisions import Decisions

Manifest = dict[str, Any]
Key = tuple[str, str]
"""Kind and name of an object in the backend's namespace."""

NOTHING: Mapping[str, Any] = MappingProxyType({})
NO_DECISIONS = Decisions()


@dataclass(frozen=True, slots=True)
class EventFacts:
    """An Event of Kubernetes about an object, in the words of whoever reported it."""

    reason: str
    message: str
    type: Literal["Normal", "Warning"] = "Warning"
    last_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """A child as it is in the cluster.

    `status` is filled for Deployment, PersistentVolumeClaim, Job and Ingress, `spec` for those that a
    condition is computed from; `events` (newest first) where the object waits for something.
    """

    metadata: Mapping[str, Any]
    owned_by_us: bool
    status: Mapping[str, Any] = field(default_factory=dict)
    spec: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[EventFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A container that cannot start yet, in the kubelet's words."""

    container: str
    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Terminated:
    """A container that ended: `message` is what it left in /dev/termination-log."""

    container: str
    exit_code: int
    reason: str = ""
    message: str = ""
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """What a serving pod says of itself on its own port."""

    version: str | None
    metrics: Mapping[str, float] = field(default_factory=dict)
    unmatched_labels: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class PodFacts:
    """One pod of a backend; absent parts are None.

    `version` is the version that it was started with. `unready_since` is the time since when all of its
    containers run without its being ready (None: it is ready, or one does not run). `ended` is the newest
    end of one of its containers, an earlier run of a restarted one included. `unschedulable` is the
    scheduler's own sentence, `mount` the kubelet's about a volume, `probe` about a failing probe, `reason`
    and `message` those of the pod as a whole (evicted). `volumes` says what stands behind each volume, such
    as "Secret label-studio".
    """

    name: str
    component: str
    phase: str = "Pending"
    ready: bool = False
    started: bool = False
    restarts: int = 0
    version: str | None = None
    served: Served | None = None
    node: str | None = None
    deleting: bool = False
    created_at: datetime | None = None
    unready_since: datetime | None = None
    job: str | None = None
    image: str = ""
    waiting: Waiting | None = None
    ended: Terminated | None = None
    unschedulable: str | None = None
    mount: str | None = None
    probe: str | None = None
    volumes: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class TrainingFacts:
    """One LabelStudioTraining of the backend: its spec and what its status says so far."""

    name: str
    reason: str = "Manual"
    created_at: datetime | None = None
    generation: int = 1
    uid: str = ""
    deleting: bool = False
    epochs: int | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    force: bool = False
    phase: str | None = None
    job: str | None = None
    promoted: str | None = None
    message: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    progress: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    status: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RolledBack:
    """A version that was given up: the one before it is served."""

    version: str
    why: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the reconciler has observed about one backend.

    `target` is what <name>-model names now, `previous` the version to go back to, `promoted` the newest that
    took over by itself, `rolled_back` the newest condemned one, `decisions` what the store is told. `refused`
    are names of same-named objects that are not ours, `unapplied` children that are not yet as the spec wants
    them, each with the API server's answer ("" while it was not asked). `held` are Jobs and trainings that
    the API server has just refused, with its answer. `missing` are things that the manifest refers to and
    that do not exist, such as "Secret studio/label-studio".
    """

    backend: Manifest
    now: datetime
    children: Mapping[Key, Observed] = field(default_factory=dict)
    pods: tuple[PodFacts, ...] = ()
    target: str | None = None
    previous: str | None = None
    promoted: str | None = None
    rolled_back: RolledBack | None = None
    decisions: Decisions = NO_DECISIONS
    trainings: tuple[TrainingFacts, ...] = ()
    refused: tuple[str, ...] = ()
    unapplied: Mapping[Key, str] = field(default_factory=dict)
    held: Mapping[Key, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the backend."""
        return str(self.backend["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Namespace of the backend."""
        return str(self.backend["metadata"].get("namespace", "default"))

    @property
    def generation(self) -> int:
        """Number of the spec that all of this is about."""
        return int(self.backend["metadata"].get("generation", 1))

    @property
    def deleting(self) -> bool:
        """Whether the backend's deletion was asked for."""
        return bool(self.backend["metadata"].get("deletionTimestamp"))

    @property
    def status(self) -> Manifest:
        """The backend's status as it was reported last."""
        return self.backend.get("status") or {}
