"""A backend goes into Label Studio's projects, stays there, and leaves, wherever the operator dies."""

import copy
import json
from dataclasses import replace
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

MOVED = "http://other:8080"
START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Studio:
    """One backend and its Jobs; `registered` are the Label Studios that have it, in `projects`."""

    def __init__(self) -> None:
        self.now = START
        self.ready = True
        self.terminating = False
        self.told: list[str] = []
        self.metadata = {"name": "cats", "namespace": "studio", "uid": "b-1", "finalizers": []}
        self.url = "http://studio:8080"
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
                    self.jobs.pop(name, None)
                    self.told += [event.message] if event else []
        if "deletionTimestamp" in self.metadata and not self.metadata["finalizers"]:
            self.gone = True
        self.report()
        return len(actions)

    def verdict(self, held=None):
        facts = replace(self.facts(), held=held or {})
        backend = LabelStudioBackend.model_validate(facts.backend)
        return registered(backend, resolve(backend, "1.0"), facts)

    def report(self):
        """Write the one condition that is planned from, as the operator does after its actions."""
        facts, verdict = self.facts(), self.verdict()
        told = [written_out(BackendCondition.REGISTERED, verdict, facts)] if verdict else []
        self.status = {"conditions": told, "observedGeneration": self.generation}

    def settle(self):
        for _ in range(20):
            if not self.reconcile():
                return
        raise AssertionError(f"never at rest: {self.plan().actions}")

    def finish(self):
        """Let all Jobs do their work, and wait for what is tried again."""
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
        condition = {"type": kind, "status": "True", "lastTransitionTime": written(self.now)}
        self.jobs[name]["status"] = {"conditions": [condition]}
        if "-register-" in name:
            self.registered.add(self.url_of(name))
        elif kind == "Complete":
            self.registered.discard(self.url_of(name))

    def url_of(self, name):
        return json.loads(self.jobs[name]["metadata"]["annotations"][marks.STUDIO])["url"]

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


@pytest.mark.parametrize("back", ["register", "url"])
def test_a_wish_that_comes_back_while_it_is_undone_is_carried_out_anew(studio, back) -> None:
    (old,) = studio.jobs
    wanted = getattr(studio, back)
    setattr(studio, back, {"register": False, "url": MOVED}[back])
    studio.reconcile()
    assert old in studio.jobs
    setattr(studio, back, wanted)
    studio.finish()
    assert studio.registered == {studio.url}
    assert studio.made == 3


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


def test_another_label_studio_is_entered_when_the_one_before_is_left(studio) -> None:
    old = studio.url
    studio.url = MOVED
    studio.settle()
    (leaving,) = studio.jobs
    assert (leaving in studio.of("unregister"), studio.url_of(leaving)) == (True, old)
    # Both addresses may be of one Label Studio: what enters it must not be taken out again.
    verdict = studio.verdict()
    assert (verdict.status, "first taken out" in verdict.message) == ("Unknown", True)
    studio.end(leaving)
    studio.settle()
    (entering,) = studio.jobs
    assert (entering in studio.of("register"), studio.url_of(entering)) == (True, MOVED)
    studio.end(entering)
    studio.settle()
    assert studio.registered == {MOVED}
    assert studio.told == []


def test_a_former_label_studio_that_is_gone_is_told_of_and_holds_nothing_up(studio) -> None:
    old = studio.url
    studio.url = MOVED
    studio.settle()
    studio.end(*studio.jobs, "Failed")
    studio.settle()
    (entering,) = studio.jobs
    assert studio.url_of(entering) == MOVED
    assert studio.told == [f"{old} could not be asked to remove the backend. {LEFT_BEHIND}"]


def test_a_backend_that_moved_and_is_deleted_leaves_both(studio) -> None:
    studio.url = MOVED
    studio.delete()
    studio.settle()
    assert {studio.url_of(name) for name in studio.of("unregister")} == {"http://studio:8080", MOVED}


def test_where_the_job_that_leaves_is_refused_the_record_of_the_former_one_stays(studio) -> None:
    (old,) = studio.jobs
    studio.url = MOVED
    (only,) = studio.plan().actions
    assert isinstance(only, do.CreateJob)
    name = only.manifest["metadata"]["name"]
    held = {("Job", name): "exceeded quota: jobs"}
    verdict = studio.verdict(held)
    assert old in studio.jobs
    assert (verdict.status, "exceeded quota" in verdict.message) == ("False", True)


def test_the_same_label_studio_in_another_spelling_is_not_left(studio) -> None:
    studio.url += "/"
    studio.settle()
    assert studio.of("unregister") == []
    assert len(studio.running()) == 1


@pytest.mark.parametrize("text", [None, "", "[", "[]", "1", '{"url": "ftp://"}'])
def test_a_job_that_does_not_tell_where_it_registered_is_replaced(studio, text) -> None:
    (old,) = studio.jobs
    studio.jobs[old]["metadata"]["annotations"] = {marks.STUDIO: text} if text is not None else {}
    studio.url = MOVED
    studio.settle()
    (new,) = studio.running()
    assert new in studio.of("register")


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("work"), st.integers(0, 3)),
        st.tuples(st.just("end"), st.sampled_from(["Complete", "Failed"])),
        st.tuples(st.just("projects"), st.sampled_from([[1], [2], []])),
        st.tuples(st.just("register"), st.booleans()),
        st.tuples(st.just("url"), st.sampled_from(["http://studio:8080", MOVED])),
        st.tuples(st.just("wait"), st.sampled_from([1, 301])),
        st.tuples(st.just("remove"), st.none()),
    ),
    max_size=20,
)


@settings(max_examples=500, deadline=None)
@given(events=EVENTS, settled=st.booleans())
def test_in_any_order_the_spec_holds_and_nothing_is_left_behind(events, settled) -> None:
    studio = Studio()
    unknown = set()
    for kind, what in events:
        if kind == "work":
            studio.reconcile(what)
        elif kind == "end" and studio.running():
            studio.end(studio.running()[0], what)
        elif kind == "projects":
            studio.projects = what
        elif kind == "register":
            studio.register = what
        elif kind == "url":
            studio.url = what
        elif kind == "wait":
            studio.now += timedelta(seconds=what)
        elif kind == "remove" and studio.jobs:
            name = sorted(studio.jobs)[0]
            # Whoever deletes the one record of a former Label Studio has to look after it.
            unknown |= {studio.url_of(name)}
            studio.jobs.pop(name)
        assert studio.url not in studio.registered or marks.FINALIZER in studio.metadata["finalizers"]
    if settled:
        studio.finish()
        assert (studio.url in studio.registered) == (studio.register and studio.projects != [])
    studio.now += timedelta(seconds=1)
    studio.delete()
    studio.settle()
    for name in studio.of("unregister"):
        studio.end(name)
    studio.settle()
    assert studio.gone
    assert studio.url not in studio.registered
    told = {url for url in studio.registered if any(url in message for message in studio.told)}
    assert studio.registered <= unknown | told
