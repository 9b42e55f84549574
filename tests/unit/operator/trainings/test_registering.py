"""A backend goes into Label Studio's projects, stays there, and leaves, wherever the operator dies."""

import copy
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsb_crds.backend import LabelStudioBackend
from lsb_crds.conditions import BackendCondition
from lsb_crds.resolve import resolve
from lsb_operator import actions as do
from lsb_operator import marks, observe
from lsb_operator.conditions import written_out
from lsb_operator.facts import Facts, PodFacts
from lsb_operator.registering import LEFT_BEHIND, plan_registration
from lsb_operator.registration import registered
from lsb_operator.times import written

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Studio:
    """One backend and its Jobs; `registered` is what Label Studio has, in `projects`."""

    def __init__(self) -> None:
        self.now = START
        self.ready = True
        self.terminating = False
        self.told: list[str] = []
        self.metadata = {"name": "cats", "namespace": "studio", "uid": "b-1", "finalizers": []}
        self.projects = [1]
        self.register = True
        self.jobs = {}
        self.registered = False
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
        studio = {"url": "http://studio:8080", "projects": self.projects, "register": self.register}
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
                case do.DeleteJob(name):
                    self.jobs.pop(name, None)
        if "deletionTimestamp" in self.metadata and not self.metadata["finalizers"]:
            self.gone = True
        self.report()
        return len(actions)

    def report(self):
        """Write the one condition that is planned from, as the operator does after its actions."""
        facts = self.facts()
        backend = LabelStudioBackend.model_validate(facts.backend)
        verdict = registered(backend, resolve(backend, "1.0"), facts)
        told = [written_out(BackendCondition.REGISTERED, verdict, facts)] if verdict else []
        self.status = {"conditions": told, "observedGeneration": self.generation}

    def settle(self):
        for _ in range(20):
            if not self.reconcile():
                return
        raise AssertionError(f"never at rest: {self.plan().actions}")

    def of(self, component):
        return [name for name in self.jobs if f"-{component}-" in name]

    def running(self):
        return [name for name, job in self.jobs.items() if "status" not in job]

    def end(self, name, kind="Complete"):
        condition = {"type": kind, "status": "True", "lastTransitionTime": written(self.now)}
        self.jobs[name]["status"] = {"conditions": [condition]}
        if "-register-" in name:
            self.registered = True
        elif kind == "Complete":
            self.registered = False

    def delete(self):
        self.metadata.setdefault("deletionTimestamp", written(self.now))
        if not self.metadata["finalizers"]:
            self.gone = True


@pytest.fixture
def studio():
    """A backend that is registered."""
    made = Studio()
    made.settle()
    made.end(*made.running())
    made.settle()
    return made


def test_nothing_is_registered_before_the_backend_can_answer() -> None:
    studio = Studio()
    studio.ready = False
    studio.settle()
    assert studio.jobs == {}
    assert studio.metadata["finalizers"] == []
    studio.ready = True
    first, second = studio.plan().actions
    assert first == do.SetFinalizer(present=True)
    assert isinstance(second, do.CreateJob)


def test_what_is_registered_is_left_alone(studio) -> None:
    studio.ready = False
    studio.now += timedelta(days=30)
    assert studio.plan().actions == ()


def test_other_projects_are_registered_anew_and_the_old_job_goes(studio) -> None:
    (old,) = studio.jobs
    studio.projects = [1, 2]
    studio.settle()
    (new,) = studio.running()
    assert {old, new} == set(studio.jobs)
    studio.end(new)
    studio.settle()
    assert list(studio.jobs) == [new]


def test_an_older_job_that_still_runs_cannot_have_the_last_word() -> None:
    studio = Studio()
    studio.settle()
    (old,) = studio.running()
    studio.projects = [2]
    first, *_ = studio.plan().actions
    assert isinstance(first, do.DeleteJob)
    assert first.name == old
    studio.settle()
    assert len(studio.running()) == 1
    assert old not in studio.jobs


def test_refusals_are_followed_by_tries_that_grow_rarer() -> None:
    studio = Studio()
    studio.settle()
    (name,) = studio.running()
    waited = []
    for _ in range(9):
        studio.now += timedelta(seconds=5)
        studio.end(name, "Failed")
        studio.settle()
        waited.append(studio.plan().later)
        assert studio.running() == []
        studio.now += timedelta(seconds=waited[-1] - 1)
        studio.settle()
        assert studio.running() == []
        studio.now += timedelta(seconds=1)
        studio.settle()
        assert studio.running() == [name]
    assert waited == [10, 15, 35, 75, 155, 300, 300, 300, 300]
    assert studio.made == 10


def test_a_registration_that_is_lost_after_years_is_tried_soon_again(studio) -> None:
    studio.now += timedelta(days=700)
    (name,) = studio.jobs
    del studio.jobs[name]
    studio.settle()
    studio.end(name, "Failed")
    studio.settle()
    assert studio.plan().later == 10


def test_another_spec_is_tried_as_soon_as_a_first_one() -> None:
    studio = Studio()
    studio.settle()
    for _ in range(9):
        studio.now += timedelta(seconds=300)
        studio.end(*studio.running(), "Failed")
        studio.settle()
        studio.now += timedelta(seconds=300)
        studio.settle()
    studio.projects = [2]
    studio.settle()
    studio.now += timedelta(seconds=5)
    studio.end(*studio.running(), "Failed")
    studio.settle()
    assert studio.plan().later == 10


def test_registration_that_is_no_longer_wanted_is_undone(studio) -> None:
    studio.register = False
    studio.settle()
    (name,) = studio.of("unregister")
    assert studio.metadata["finalizers"] == [marks.FINALIZER]
    studio.end(name)
    studio.settle()
    assert studio.metadata["finalizers"] == []
    assert studio.jobs == {}
    studio.register = True
    studio.settle()
    assert len(studio.of("register")) == 1


def test_undoing_a_registration_is_tried_until_label_studio_answers(studio) -> None:
    studio.register = False
    studio.settle()
    studio.end(*studio.of("unregister"), "Failed")
    studio.settle()
    assert studio.metadata["finalizers"] == [marks.FINALIZER]
    studio.now += timedelta(minutes=5)
    studio.settle()
    assert studio.running() == studio.of("unregister")


def test_a_deletion_asks_a_label_studio_once_more_that_failed_before(studio) -> None:
    studio.register = False
    studio.settle()
    studio.end(*studio.of("unregister"), "Failed")
    studio.now += timedelta(seconds=1)
    studio.delete()
    studio.settle()
    assert studio.running() == studio.of("unregister")
    assert not studio.gone


def test_a_deleted_backend_leaves_label_studio_first(studio) -> None:
    studio.delete()
    studio.settle()
    (name,) = studio.of("unregister")
    assert not studio.gone
    assert "ownerReferences" not in studio.jobs[name]["metadata"]
    studio.end(name)
    studio.settle()
    assert studio.gone
    assert studio.told == []


def test_foreground_deletion_takes_the_children_first(studio) -> None:
    studio.metadata["finalizers"].append("foregroundDeletion")
    studio.jobs.clear()
    studio.delete()
    studio.ready = False
    studio.settle()
    studio.end(*studio.of("unregister"))
    assert studio.plan().actions == (do.SetFinalizer(present=False),)


@pytest.mark.parametrize("ends", ["Failed", None])
def test_a_label_studio_that_is_gone_holds_a_deletion_up_for_a_minute_at_most(studio, ends) -> None:
    studio.delete()
    studio.settle()
    if ends:
        studio.end(*studio.of("unregister"), ends)
    else:
        assert studio.plan().later == 60
        studio.now += timedelta(seconds=59)
        studio.settle()
        assert not studio.gone
        studio.now += timedelta(seconds=1)
    studio.settle()
    assert studio.gone
    assert studio.told == [LEFT_BEHIND]


def test_a_terminating_namespace_is_not_held_up(studio) -> None:
    studio.delete()
    studio.terminating = True
    assert studio.plan().actions == (do.SetFinalizer(present=False),)


def test_a_backend_that_was_never_registered_is_deleted_at_once() -> None:
    studio = Studio()
    studio.register = False
    studio.settle()
    assert studio.metadata["finalizers"] == []
    studio.delete()
    assert studio.plan().actions == ()


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("work"), st.integers(0, 3)),
        st.tuples(st.just("end"), st.sampled_from(["Complete", "Failed"])),
        st.tuples(st.just("projects"), st.sampled_from([[1], [2], []])),
        st.tuples(st.just("register"), st.booleans()),
        st.tuples(st.just("wait"), st.sampled_from([1, 301])),
        st.tuples(st.just("remove"), st.none()),
    ),
    max_size=20,
)


@settings(max_examples=300, deadline=None)
@given(events=EVENTS)
def test_in_any_order_nothing_is_left_behind(events) -> None:
    studio = Studio()
    for kind, what in events:
        if kind == "work":
            studio.reconcile(what)
        elif kind == "end" and studio.running():
            studio.end(studio.running()[0], what)
        elif kind == "projects":
            studio.projects = what
        elif kind == "register":
            studio.register = what
        elif kind == "wait":
            studio.now += timedelta(seconds=what)
        elif kind == "remove" and studio.jobs:
            studio.jobs.pop(sorted(studio.jobs)[0])
        assert marks.FINALIZER in studio.metadata["finalizers"] or not studio.registered
    studio.now += timedelta(seconds=1)
    studio.delete()
    studio.settle()
    for name in studio.of("unregister"):
        studio.end(name)
    studio.settle()
    assert studio.gone
    assert not studio.registered
