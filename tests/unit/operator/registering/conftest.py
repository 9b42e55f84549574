"""A backend, its register and unregister Jobs, and the Label Studios that they change, played in memory."""

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.conditions import BackendCondition
from lsb_crds.resolve import resolve
from lsb_operator import actions as do
from lsb_operator import marks, observe
from lsb_operator.conditions import written_out
from lsb_operator.facts import Facts, PodFacts
from lsb_operator.registering import plan_registration
from lsb_operator.registration import registered
from lsb_operator.times import written

FIRST = "http://studio:8080"
START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Studio:
    """One backend and its Jobs; `registered` are the Label Studios that have it, in `projects`."""

    def __init__(self) -> None:
        self.now = START
        self.ready = True
        self.terminating = False
        self.told: list[str] = []
        self.metadata = {"name": "cats", "namespace": "studio", "uid": "b-1", "finalizers": []}
        self.url = FIRST
        self.projects = [1]
        self.register = True
        self.jobs = {}
        self.registered = set()
        self.gone = False
        self.made = 0
        self.generation = 1
        self.status = {}
        self.known = self.spec()
        self.metadata["generation"] = 1

    def facts(self):
        raw = {"kind": "LabelStudioBackend", "metadata": copy.deepcopy(self.metadata), "spec": self.spec()}
        raw["status"] = self.status
        jobs = {
            ("Job", name): observe.observed({"kind": "Job", **job}, raw) for name, job in self.jobs.items()
        }
        pods = (PodFacts("cats-1", "serve", ready=self.ready),)
        return Facts(raw, self.now, children=jobs, pods=pods)

    def spec(self):
        studio = {"url": self.url, "projects": self.projects, "register": self.register}
        return {"labelStudio": studio}

    def plan(self):
        facts = self.facts()
        backend = LabelStudioBackend.model_validate(facts.backend)
        return plan_registration(backend, resolve(backend, "1.0"), facts, self.terminating)

    def reconcile(self, most=None):
        if self.gone:
            return 0
        spec = self.spec()
        self.metadata["generation"] = self.generation = self.generation + (spec != self.known)
        self.known = spec
        before = self.facts()
        actions = self.plan().actions
        for action in actions[:most]:
            match action:
                case do.SetFinalizer(present, event):
                    self.metadata["finalizers"] = [marks.FINALIZER] if present else []
                    self.told += [event.message] if event else []
                case do.CreateJob(manifest):
                    self.made += 1
                    job = copy.deepcopy(manifest)
                    job["metadata"]["uid"] = f"j-{self.made}"
                    self.jobs.setdefault(job["metadata"]["name"], job)
                case do.DeleteJob(name, event=event):
                    self.told += [event.message] if event else []
                    self.jobs.pop(name, None)
                case do.EndJob(name):
                    self.jobs[name]["spec"]["activeDeadlineSeconds"] = 1
        if "deletionTimestamp" in self.metadata and not self.metadata["finalizers"]:
            self.gone = True
        self.report(before)
        return len(actions)

    def verdict(self, held=None, facts=None):
        facts = replace(facts or self.facts(), held=held or {})
        backend = LabelStudioBackend.model_validate(facts.backend)
        return registered(backend, resolve(backend, "1.0"), facts)

    def report(self, facts):
        """Write the one condition that is planned from, of what was known before the actions."""
        verdict = self.verdict(facts=facts)
        if verdict and verdict.status == "True":
            assert self.url in self.registered
        told = [written_out(BackendCondition.REGISTERED, verdict, facts)] if verdict else []
        self.status = {"conditions": told, "observedGeneration": self.generation}

    def settle(self):
        for _ in range(20):
            if not self.reconcile():
                return
        raise AssertionError(f"never at rest: {self.plan().actions}")

    def finish(self):
        """Let all Jobs do their work, and wait for what is tried again."""
        self.ready = True
        self.settle()
        while self.running() or self.plan().later:
            for name in self.running():
                self.end(name)
            self.now += timedelta(seconds=self.plan().later or 0)
            self.settle()

    def of(self, component):
        return [name for name in self.jobs if f"-{component}-" in name]

    def running(self):
        return [name for name, job in self.jobs.items() if "status" not in job]

    def end(self, name, kind="Complete"):
        if self.jobs[name]["spec"].get("activeDeadlineSeconds") == 1:
            # The worst of all ends: it was told to stop when Label Studio had just begun.
            self.registered.add(self.url_of(name))
            kind = "Failed"
        condition = {"type": kind, "status": "True", "lastTransitionTime": written(self.now)}
        self.jobs[name]["status"] = {"conditions": [condition]}
        if kind == "Complete" and "-register-" in name:
            self.registered.add(self.url_of(name))
        elif kind == "Complete":
            self.registered.discard(self.url_of(name))

    def url_of(self, name):
        return json.loads(self.jobs[name]["metadata"]["annotations"][marks.STUDIO])["url"]

    def delete(self):
        self.metadata.setdefault("deletionTimestamp", written(self.now))
        if not self.metadata["finalizers"]:
            self.gone = True

    @classmethod
    def in_its_project(cls):
        """One that is registered."""
        made = cls()
        made.settle()
        made.end(*made.running())
        made.settle()
        return made


@pytest.fixture(scope="session")
def fresh():
    """Makes backends that were just applied."""
    return Studio


@pytest.fixture
def studio():
    """A backend that is registered."""
    return Studio.in_its_project()
