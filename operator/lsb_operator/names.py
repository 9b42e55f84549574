"""The names of all that belongs to a backend: labels, annotations, and its children."""

from typing import Final, Literal

FIELD_MANAGER: Final = "lsb-operator"
"""Owner of the applied fields, and value of the label that says who manages an object."""

NAME: Final = "app.kubernetes.io/name"
INSTANCE: Final = "app.kubernetes.io/instance"
COMPONENT: Final = "app.kubernetes.io/component"
PART_OF: Final = "app.kubernetes.io/part-of"
MANAGED_BY: Final = "app.kubernetes.io/managed-by"
BACKEND: Final = "lsbackends.dev/backend"

VOLUME: Final = "lsbackends.dev/volume"
"""Label of every pod that mounts the weights volume, by which such pods find one another's node."""
METRICS: Final = "lsbackends.dev/metrics"
"""Label that an administrator gives to the namespace of a monitoring system, with the value `allowed`."""

VERSION: Final = "lsbackends.dev/version"
"""Annotation of a pod: the version that it was started for."""
CONFIG: Final = "lsbackends.dev/config"
"""Annotation of a pod: a digest of the settings that a server reads at its start only."""
TEMPLATE: Final = "lsbackends.dev/template"
"""Annotation of a Deployment: a digest of the pods' form, versions and default images left out."""
RELEASE: Final = "lsbackends.dev/release"
"""Annotation of a Deployment: the release whose images stand for null."""

DECISIONS: Final = "lsbackends.dev/decisions"
"""Annotation of a weights claim and of the pods of trainings: what was decided about the versions in it."""

APPLICATION: Final = "lsbackends"
SERVE_ROLE: Final = "lsbackends-serve"
TRAIN_ROLE: Final = "lsbackends-train"
"""ClusterRoles that come with the operator's chart."""

Component = Literal["serve", "train", "prepare", "register", "unregister", "redis"]

# A backend's name has at most 40 characters; the shortest limit of a name below is 63.


def serve_account(name: str) -> str:
    """ServiceAccount (and RoleBinding) of the serving pods."""
    return f"{name}-serve"


def train_account(name: str) -> str:
    """ServiceAccount (and RoleBinding) of the training pods."""
    return f"{name}-train"


def config(name: str) -> str:
    """ConfigMap with the resource as the backend reads it."""
    return f"{name}-config"


def model(name: str) -> str:
    """ConfigMap with the version to serve."""
    return f"{name}-model"


def weights(name: str) -> str:
    """PersistentVolumeClaim of the weights, where no existing one is named."""
    return f"{name}-weights"


def basic_auth(name: str) -> str:
    """Secret with the user and password that callers must give."""
    return f"{name}-basic-auth"


def redis(name: str) -> str:
    """Deployment, Service, Secret, PersistentVolumeClaim and NetworkPolicy of a managed Redis."""
    return f"{name}-redis"


def selector(name: str, component: Component) -> dict[str, str]:
    """Labels by which the pods of one component are found; part of immutable fields, so they stay."""
    return {BACKEND: name, COMPONENT: component}


def labels(name: str, component: Component) -> dict[str, str]:
    """All labels of an object that belongs to a backend."""
    return {
        NAME: APPLICATION,
        INSTANCE: name,
        COMPONENT: component,
        PART_OF: APPLICATION,
        MANAGED_BY: FIELD_MANAGER,
        BACKEND: name,
    }
