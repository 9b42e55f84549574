"""The kinds that the operator deals with: where they live in the API, and how much of each is watched."""

from dataclasses import dataclass
from enum import Enum

from lsb_crds.contract import API_VERSION


class Watch(Enum):
    """How much of a kind's objects is asked for."""

    NOTHING = "nothing"
    METADATA = "metadata"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. Of those that are `ours` the objects with our label alone are watched.

    `fields` is a field selector for what is watched ("": everything).
    """

    api_version: str
    name: str
    plural: str
    watch: Watch
    ours: bool = True
    fields: str = ""

    @property
    def group(self) -> str:
        """API group, "" for the core one."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        """Version in the group, such as v1."""
        return self.api_version.rpartition("/")[2]

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str = "") -> str:
        """Path below the API server's address: of all objects, of a namespace's, or of one."""
        parts = ["apis" if self.group else "api", self.api_version]
        if namespace is not None:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part]
        return "/" + "/".join(parts)


BACKEND = Kind(API_VERSION, "LabelStudioBackend", "labelstudiobackends", Watch.WHOLE, ours=False)
TRAINING = Kind(API_VERSION, "LabelStudioTraining", "labelstudiotrainings", Watch.WHOLE, ours=False)
POD = Kind("v1", "Pod", "pods", Watch.WHOLE)
SECRET = Kind("v1", "Secret", "secrets", Watch.NOTHING)
# By far the most Events tell of what goes well, and some of what a pod's status says too. Not by their type:
# that a claim finds no volume is a normal Event.
_NOT_READ = (
    *("Scheduled", "Pulling", "Pulled", "Created", "Started", "Killing", "LeaderElection"),
    *(
        "SuccessfulCreate",
        "SuccessfulDelete",
        "ScalingReplicaSet",
        "Completed",
        "FailedScheduling",
        "BackOff",
    ),
)
_READ = ",".join(f"reason!={reason}" for reason in _NOT_READ)
EVENT = Kind("v1", "Event", "events", Watch.WHOLE, ours=False, fields=_READ)
LEASE = Kind("coordination.k8s.io/v1", "Lease", "leases", Watch.NOTHING)
NAMESPACE = Kind("v1", "Namespace", "namespaces", Watch.NOTHING)
PERSISTENT_VOLUME_CLAIM = Kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims", Watch.WHOLE)
JOB = Kind("batch/v1", "Job", "jobs", Watch.WHOLE)

CHILDREN = (
    SECRET,
    JOB,
    Kind("v1", "ServiceAccount", "serviceaccounts", Watch.METADATA),
    Kind("v1", "ConfigMap", "configmaps", Watch.WHOLE),
    Kind("v1", "Service", "services", Watch.METADATA),
    PERSISTENT_VOLUME_CLAIM,
    Kind("apps/v1", "Deployment", "deployments", Watch.WHOLE),
    Kind("networking.k8s.io/v1", "Ingress", "ingresses", Watch.WHOLE),
    Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", Watch.METADATA),
    Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", Watch.METADATA),
    Kind("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", Watch.METADATA),
)
"""The kinds of the children of a backend."""

WATCHED = (BACKEND, TRAINING, POD, EVENT, *(kind for kind in CHILDREN if kind.watch is not Watch.NOTHING))


def child_kind(api_version: str, name: str) -> Kind:
    """The kind of a child's manifest; raises KeyError for one that the operator may not make."""
    for kind in CHILDREN:
        if (kind.api_version, kind.name) == (api_version, name):
            return kind
    raise KeyError(f"{api_version} {name} is not among the kinds that the operator may make")
