"""A backend in a cluster, described by raw API objects as the API server answers them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolve import resolve
from lsb_crds.resolved import Resolved
from lsb_operator import names, observe
from lsb_operator.facts import Facts
from lsb_operator.failures.references import missing

Manifest = dict[str, Any]
TABLE = Path(__file__).parent / "failures.yaml"
NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
VERSION = "3-0a1b2c3d"


def merged(base: Any, change: Any) -> Any:
    """`change` laid over `base`, object by object."""
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    return base | {key: merged(base.get(key), value) for key, value in change.items()}


class World:
    """One backend `cats` in the namespace `studio`, with what was made for it; serving unless changed."""

    def __init__(self) -> None:
        self.backend: Manifest = {
            "apiVersion": "lsbackends.dev/v1alpha1",
            "kind": "LabelStudioBackend",
            "metadata": {"name": "cats", "namespace": "studio", "uid": "b-1", "generation": 4},
            "spec": {
                "labelStudio": {"url": "http://label-studio.studio.svc:8080"},
                "serving": {"rollout": "RollingUpdate"},
            },
        }
        self.objects: list[Manifest] = []
        self.pods: list[Manifest] = []
        self.events: list[Manifest] = []
        self.trainings: list[Manifest] = []
        self.served: dict[str, Manifest] = {}
        self.known: Manifest = {"target": VERSION}
        self.now = NOW

    def spec(self, change: Manifest) -> None:
        """Lay a change over the spec, as an edit by its owner."""
        self.backend["spec"] = merged(self.backend["spec"], change)

    def add(self, kind: str, name: str, component: str = "serve", **change: Any) -> Manifest:
        """Add a child that the operator made."""
        metadata = {
            "name": name,
            "namespace": "studio",
            "uid": f"{kind}-{name}",
            "generation": 1,
            "creationTimestamp": "2026-01-31T11:00:00Z",
            "labels": names.labels("cats", component),  # type: ignore[arg-type]
            "ownerReferences": [{"kind": "LabelStudioBackend", "uid": "b-1", "controller": True}],
        }
        found: Manifest = merged({"kind": kind, "metadata": metadata}, change)
        self.objects.append(found)
        return found

    def deployment(self, replicas: int = 1, updated: int = 1, ready: int = 1, **status: Any) -> Manifest:
        """Add the serving Deployment, with counts as the deployment controller writes them."""
        counts = {"replicas": replicas, "updatedReplicas": updated, "readyReplicas": ready}
        # Zeros are left out of a Deployment's status.
        counts = {key: value for key, value in counts.items() if value}
        return self.add("Deployment", "cats", status={"observedGeneration": 1, **counts, **status})

    def pod(self, name: str = "cats-6d5f", component: str = "serve", **change: Any) -> Manifest:
        """Add a ready pod, changed as told."""
        running = {
            "name": "backend",
            "ready": True,
            "started": True,
            "restartCount": 0,
            "state": {"running": {}},
        }
        base: Manifest = {
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": "studio",
                "uid": f"pod-{name}",
                "creationTimestamp": "2026-01-31T11:50:00Z",
                "labels": names.selector("cats", component),  # type: ignore[arg-type]
                "annotations": {names.VERSION: VERSION},
            },
            "spec": {"nodeName": "node-1", "containers": [{"name": "backend", "image": "ghcr.io/x/serve:1"}]},
            "status": {
                "phase": "Running",
                "conditions": [
                    {"type": "PodScheduled", "status": "True"},
                    {"type": "Ready", "status": "True"},
                ],
                "containerStatuses": [running],
            },
        }
        found: Manifest = merged(base, change)
        self.pods.append(found)
        return found

    def event(self, kind: str, name: str, reason: str, message: str, when: str = "11:59:00") -> None:
        """Add an Event about an object."""
        self.events.append(
            {
                "type": "Warning",
                "reason": reason,
                "message": message,
                "lastTimestamp": f"2026-01-31T{when}Z",
                "involvedObject": {"kind": kind, "name": name, "namespace": "studio"},
            }
        )

    def training(self, name: str, **change: Any) -> Manifest:
        """Add a LabelStudioTraining of the backend."""
        metadata = {"name": name, "uid": f"t-{name}", "creationTimestamp": "2026-01-31T10:00:00Z"}
        found: Manifest = merged({"metadata": metadata, "spec": {"backend": "cats"}}, change)
        self.trainings.append(found)
        return found

    @property
    def model(self) -> LabelStudioBackend:
        """The backend as a model."""
        return LabelStudioBackend.model_validate(self.backend, extra="ignore")

    @property
    def resolved(self) -> Resolved:
        """What null in the spec became."""
        return resolve(self.model, release="1.0")

    def facts(self, **known: Any) -> Facts:
        """All of it, as facts."""
        pods = tuple(
            observe.pod_facts(
                pod,
                self.events,
                observe.served_by(told) if (told := self.served.get(pod["metadata"]["name"])) else None,
            )
            for pod in self.pods
        )
        children = {
            (one["kind"], one["metadata"]["name"]): observe.observed(one, self.backend, self.events)
            for one in self.objects
        }
        return Facts(
            backend=self.backend,
            now=self.now,
            children=children,
            pods=pods,
            trainings=tuple(observe.training_facts(one) for one in self.trainings),
            missing=missing(pods, "studio"),
            **(self.known | known),
        )

    def status(self, **known: Any) -> Manifest:
        """The status that is reported now; it becomes the backend's."""
        from lsb_operator.status import status

        self.backend["status"] = status(self.model, self.resolved, self.facts(**known))
        return dict(self.backend["status"])


def condition(status: Manifest, kind: str) -> Manifest | None:
    """A condition by its type; None if it is absent."""
    return next((one for one in status["conditions"] if one["type"] == kind), None)


@pytest.fixture
def world() -> World:
    """A backend with nothing made for it yet."""
    return World()


@pytest.fixture(scope="session")
def make() -> type[World]:
    """Makes a fresh world: an example of hypothesis must not see another's."""
    return World


@pytest.fixture
def serving() -> World:
    """A backend whose one pod serves the target."""
    made = World()
    made.deployment()
    made.pod()
    return made


@pytest.fixture
def of() -> Any:
    """Finds a condition in a status by its type."""
    return condition


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `row` once for each row of the table of failures."""
    if "row" in metafunc.fixturenames:
        rows = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
        metafunc.parametrize("row", rows, ids=[row["name"] for row in rows])
