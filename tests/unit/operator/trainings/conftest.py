"""A small world: it keeps objects as an API server does, and plays the Job controller and the kubelet."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.resolve import resolve
from lsb_operator import actions as do
from lsb_operator import observe
from lsb_operator.facts import Facts
from lsb_operator.rollout import Model, roll
from lsb_operator.times import written
from lsb_operator.trainings import plan_trainings

Manifest = dict[str, Any]
START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class World:
    """Objects of one backend, and what happens to them. `name` is the backend's."""

    def __init__(self, spec: Manifest | None = None) -> None:
        self.now = START
        self.backend: Manifest = {
            "apiVersion": "lsbackends.dev/v1alpha1",
            "kind": "LabelStudioBackend",
            "metadata": {
                "name": "cats",
                "namespace": "studio",
                "uid": "backend-1",
                "generation": 1,
                "creationTimestamp": written(START),
            },
            "spec": {"labelStudio": {"url": "http://studio:8080"}, **(spec or {})},
        }
        self.trainings: dict[str, Manifest] = {}
        self.jobs: dict[str, Manifest] = {}
        self.pods: dict[str, Manifest] = {}
        self.model = Model()
        self.made = 0

    # What people and other programs do.

    def ask(self, name: str, reason: str = "Manual", **spec: Any) -> None:
        """A LabelStudioTraining is created; one of the name that is there stays."""
        self.made += 1
        metadata = {
            "name": name,
            "namespace": "studio",
            "uid": f"{self.made:08d}-training",
            "generation": 1,
            "creationTimestamp": written(self.now),
        }
        self.trainings.setdefault(
            name, {"metadata": metadata, "spec": {"backend": "cats", "reason": reason, **spec}}
        )

    def prepared(self, version: str = "0-aaaaaaaa") -> None:
        """The first version was made."""
        self.settle()
        job = next(iter(self.jobs))
        self.end(job, outcome="Prepared", version=version)
        self.settle()

    def later(self, **delta: float) -> None:
        """Time goes by."""
        self.now += timedelta(**delta)

    # What the cluster does.

    def start(self, job: str) -> None:
        """The Job controller makes a pod, and it runs."""
        found = self.jobs[job]
        if found["spec"].get("suspend"):
            return
        found["status"] = {"startTime": written(self.now), "active": 1}
        labels = found["spec"]["template"]["metadata"]["labels"] | {observe.JOB: job}
        self.made += 1
        name = f"{job}-{self.made}"
        self.pods[name] = {"metadata": {"name": name, "labels": labels}, "status": {"phase": "Running"}}

    def end(
        self, job: str, message: str | None = None, code: int = 0, reason: str = "", **result: Any
    ) -> None:
        """The Job ends: Complete, or Failed for `reason`; its last pod leaves the message or the result."""
        if not any(pod["metadata"]["labels"][observe.JOB] == job for pod in self.pods.values()):
            self.jobs[job]["spec"]["suspend"] = False
            self.start(job)
        text = json.dumps(result) if message is None else message
        state = {"terminated": {"exitCode": code, "message": text, "finishedAt": written(self.now)}}
        for pod in self.pods.values():
            if pod["metadata"]["labels"][observe.JOB] == job:
                pod["status"] = {
                    "phase": "Failed" if code else "Succeeded",
                    "containerStatuses": [{"name": "lsb", "state": state}],
                }
        kind = "Failed" if reason else "Complete"
        condition = {"type": kind, "status": "True", "reason": reason, "message": "the Job says so"}
        self.jobs[job]["status"] = {
            "startTime": written(self.now),
            "failed" if reason else "succeeded": 1,
            "conditions": [condition],
        }

    def remove_job(self, name: str) -> None:
        """A Job is deleted, with its pods."""
        self.jobs.pop(name, None)
        self.pods = {
            key: pod for key, pod in self.pods.items() if pod["metadata"]["labels"][observe.JOB] != name
        }

    # What the operator does.

    @property
    def spec(self) -> LabelStudioBackend:
        return LabelStudioBackend.model_validate(self.backend, extra="ignore")

    def facts(self) -> Facts:
        """What the operator sees."""
        return Facts(
            backend=copy.deepcopy(self.backend),
            now=self.now,
            children={
                ("Job", name): observe.observed({"kind": "Job", **job}, self.backend)
                for name, job in self.jobs.items()
            },
            pods=tuple(observe.pod_facts(pod) for pod in self.pods.values()),
            target=self.model.target,
            previous=self.model.previous,
            promoted=self.model.promoted,
            trainings=tuple(observe.training_facts(one) for one in self.trainings.values()),
        )

    def plan(self) -> do.Next:
        """What the operator would do now."""
        return plan_trainings(self.spec, resolve(self.spec, "1.0"), self.facts())

    def reconcile(self, most: int | None = None) -> int:
        """Do what is to be done, or the first `most` of it, as if the operator died then; how much it was."""
        self.model = roll(self.spec, resolve(self.spec, "1.0"), self.facts(), self.model)
        planned = self.plan().actions
        for action in planned[:most]:
            self.carry_out(action)
        return len(planned)

    def settle(self) -> None:
        """Reconcile until nothing is left to do; an endless quarrel is an error."""
        for _ in range(200):
            before = self.model
            if not self.reconcile() and self.model == before:
                return
        raise AssertionError(f"never at rest: {self.plan().actions}")

    def carry_out(self, action: do.Action) -> None:
        match action:
            case do.CreateJob(manifest):
                self._create_job(manifest)
            case do.DeleteJob(name, uid):
                if name in self.jobs and self.jobs[name]["metadata"]["uid"] == uid:
                    self.remove_job(name)
            case do.KeepJobFor(name, seconds):
                self.jobs[name]["spec"]["ttlSecondsAfterFinished"] = seconds
            case do.CreateTraining(manifest):
                about = manifest["metadata"]
                self.ask(about["name"], manifest["spec"]["reason"])
                made = self.trainings[about["name"]]["metadata"]
                made.setdefault("annotations", about.get("annotations", {}))
            case do.DeleteTraining(name, uid):
                if self.trainings[name]["metadata"]["uid"] == uid:
                    del self.trainings[name]
            case do.ApplyTrainingStatus(name, status):
                known = self.trainings[name].get("status", {})
                trainers = {key: known[key] for key in ("progress",) if key in known}
                self.trainings[name]["status"] = trainers | copy.deepcopy(status)
            case _:
                raise AssertionError(action)

    def _create_job(self, manifest: Manifest) -> None:
        name = manifest["metadata"]["name"]
        if name in self.jobs:
            return
        self.made += 1
        self.jobs[name] = copy.deepcopy(manifest)
        self.jobs[name]["metadata"]["uid"] = f"job-{self.made}"

    # What a test looks at.

    def phase(self, training: str) -> str | None:
        """The phase in a training's status."""
        found = self.status(training).get("phase")
        return str(found) if found else None

    def status(self, training: str) -> Manifest:
        """A training's status."""
        return self.trainings[training].get("status") or {}

    def running(self) -> list[str]:
        """Jobs that have not ended."""
        return [name for name, job in self.jobs.items() if not (job.get("status") or {}).get("conditions")]


NewWorld = Callable[..., World]


@pytest.fixture
def new_world() -> NewWorld:
    return World


@pytest.fixture
def world() -> World:
    """A backend that serves its first version."""
    made = World()
    made.prepared()
    return made
