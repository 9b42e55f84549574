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
from lsb_operator.former import DELETE_IT, LEFT_BEHIND
from lsb_operator.registering import plan_registration
from lsb_operator.registration import registered
from lsb_operator.times import written

FIRST = "http://studio:8080"
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


@pytest.fixture
def studio():
    return registered_studio()


def registered_studio():
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
    assert studio.plan().actions == (do.EndJob(old),)
    studio.settle()
    assert studio.running() == [old]
    studio.end(old)
    studio.settle()
    (new,) = studio.running()
    studio.end(new)
    studio.settle()
    assert list(studio.jobs) == [new]


def test_what_an_earlier_spec_registered_does_not_hold_once_another_was_tried(studio) -> None:
    (old,) = studio.jobs
    studio.projects = [2]
    studio.settle()
    (new,) = studio.running()
    assert new != old
    studio.projects = [1]
    studio.settle()
    assert studio.verdict().status == "Unknown"
    studio.finish()
    assert studio.made == 3
    assert list(studio.jobs) == [old]


def test_a_deletion_waits_for_a_register_job_that_runs() -> None:
    studio = Studio()
    studio.settle()
    (old,) = studio.running()
    studio.delete()
    studio.settle()
    assert not studio.gone
    assert studio.running() == [old]
    studio.end(old)
    studio.settle()
    studio.end(*studio.running())
    studio.settle()
    assert studio.gone
    assert (studio.registered, studio.told) == (set(), [])


def test_a_register_job_that_nobody_admits_holds_nothing_up() -> None:
    studio = Studio()
    studio.settle()
    (old,) = studio.jobs
    studio.jobs[old]["spec"]["suspend"] = True
    studio.register = False
    studio.settle()
    (undoing,) = studio.of("unregister")
    assert undoing in studio.running()


def test_a_failed_try_is_the_record_of_itself_until_another_can_begin() -> None:
    studio = Studio()
    studio.settle()
    (old,) = studio.running()
    studio.end(old, "Failed")
    studio.ready = False
    studio.now += timedelta(days=1)
    studio.settle()
    assert list(studio.jobs) == [old]
    studio.ready = True
    studio.settle()
    assert studio.running() == [old]


def test_a_job_that_runs_ends_before_its_work_is_undone() -> None:
    studio = Studio()
    studio.settle()
    (old,) = studio.running()
    studio.register = False
    assert studio.plan().actions == (do.EndJob(old),)
    studio.jobs[old]["spec"]["activeDeadlineSeconds"] = 1
    assert studio.plan().actions == ()
    ending = {"type": "FailureTarget", "status": "True", "lastTransitionTime": written(studio.now)}
    studio.jobs[old]["status"] = {"conditions": [ending]}
    (undo,) = studio.plan().actions
    assert isinstance(undo, do.CreateJob)


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
    studio.end(*studio.running())
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
    for _ in range(2):
        studio.reconcile()
    (undoing,) = studio.running()
    setattr(studio, back, wanted)
    studio.settle()
    assert studio.verdict().status == "Unknown"
    assert set(studio.jobs) == {old, undoing}
    studio.finish()
    assert studio.registered == {studio.url}
    assert studio.verdict().status == "True"
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
    assert studio.told == [f"{LEFT_BEHIND} at {studio.url}. {DELETE_IT}"]


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
    (record,) = studio.jobs
    studio.url = MOVED
    studio.settle()
    (leaving,) = studio.running()
    assert (leaving in studio.of("unregister"), studio.url_of(leaving)) == (True, old)
    # It alone tells of the former one, and a Job that has ended goes by itself.
    assert record in studio.jobs
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
    studio.end(*studio.running(), "Failed")
    studio.settle()
    (entering,) = studio.jobs
    assert studio.url_of(entering) == MOVED
    assert studio.told == [f"{LEFT_BEHIND} at {old}. {DELETE_IT}"]


def test_where_it_never_was_it_is_not_taken_out_for_ever(studio) -> None:
    studio.url, studio.register = MOVED, False
    studio.settle()
    studio.end(*studio.running())
    studio.settle()
    studio.end(*studio.running(), "Failed")
    studio.settle()
    assert studio.jobs == {}
    assert studio.metadata["finalizers"] == []
    assert studio.told == [f"{LEFT_BEHIND} at {MOVED}. {DELETE_IT}"]


@pytest.mark.parametrize("ends", ["Complete", "Failed", None])
def test_a_backend_that_moved_and_is_deleted_leaves_both(studio, ends) -> None:
    old, studio.url = studio.url, MOVED
    studio.delete()
    studio.settle()
    by_url = {studio.url_of(name): name for name in studio.of("unregister")}
    assert set(by_url) == {old, MOVED}
    studio.end(by_url[MOVED])
    studio.settle()
    assert not studio.gone
    if ends:
        studio.end(by_url[old], ends)
    else:
        studio.now += timedelta(seconds=60)
    studio.settle()
    assert studio.gone
    assert studio.told == ([] if ends == "Complete" else [f"{LEFT_BEHIND} at {old}. {DELETE_IT}"])


def test_a_deletion_tells_of_a_former_label_studio_that_nobody_could_be_sent_to(studio) -> None:
    old, studio.url = studio.url, MOVED
    studio.settle()
    # As where the API server takes no further Job.
    del studio.jobs[studio.of("unregister")[0]]
    studio.delete()
    studio.now += timedelta(seconds=60)
    studio.settle()
    assert studio.gone
    (told,) = studio.told
    assert old in told


def test_what_is_wanted_again_stays_on_record_until_it_can_be_done_anew(studio) -> None:
    (record,) = studio.jobs
    wanted, studio.url = studio.url, MOVED
    studio.settle()
    studio.end(*studio.running(), "Failed")
    studio.url, studio.ready = wanted, False
    studio.settle()
    assert record in studio.jobs
    assert "can answer" in studio.verdict().message
    studio.finish()
    assert (studio.registered, studio.told) == ({wanted}, [])


def test_where_the_job_that_leaves_is_refused_the_record_of_the_former_one_stays(studio) -> None:
    (old,) = studio.jobs
    studio.url = MOVED
    studio.reconcile()
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
    (new,) = studio.running()
    assert studio.url_of(new) == studio.url


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
        st.tuples(st.just("settle"), st.none()),
        st.tuples(st.just("end"), st.tuples(st.integers(0, 2), st.sampled_from(["Complete", "Failed"]))),
        st.tuples(st.just("projects"), st.sampled_from([[1], [2], []])),
        st.tuples(st.just("register"), st.booleans()),
        st.tuples(st.just("url"), st.sampled_from([FIRST, MOVED])),
        st.tuples(st.just("ready"), st.booleans()),
        st.tuples(st.just("wait"), st.sampled_from([1, 301])),
        st.tuples(st.just("remove"), st.integers(0, 2)),
        st.tuples(st.just("expire"), st.none()),
    ),
    min_size=6,
    max_size=25,
)


def unaccounted(studio, unknown, moved=False):
    """Label Studios that have the backend, and of which nobody and nothing tells (once it has moved)."""
    told = {url for url in studio.registered if any(f" {url}" in message for message in studio.told)}
    recorded = {studio.url_of(name) for name in studio.of("register")}
    if marks.FINALIZER in studio.metadata["finalizers"] and not moved:
        recorded.add(studio.url)
    return studio.registered - told - recorded - unknown


@settings(max_examples=500, deadline=None)
@given(events=EVENTS, settled=st.booleans(), last=st.sampled_from(["Complete", "Failed", None]))
def test_in_any_order_the_spec_holds_and_nothing_is_left_behind(events, settled, last) -> None:
    studio = registered_studio()
    unknown = set()
    for kind, what in events:
        jobs, running = sorted(studio.jobs), sorted(studio.running())
        if kind == "work":
            studio.reconcile(what)
        elif kind == "settle":
            studio.settle()
        elif kind == "end" and running:
            studio.end(running[what[0] % len(running)], what[1])
        elif kind == "projects":
            studio.projects = what
        elif kind == "register":
            studio.register = what
        elif kind == "url":
            if unaccounted(studio, unknown, moved=True):
                # Between the end of a record and its new beginning, which follow each other at once.
                studio.reconcile()
            studio.url = what
        elif kind == "ready":
            studio.ready = what
        elif kind == "wait":
            studio.now += timedelta(seconds=what)
        elif kind == "remove" and jobs:
            name = jobs[what % len(jobs)]
            # Whoever deletes the one record of a Label Studio has to look after it.
            unknown |= {studio.url_of(name)} if name in studio.of("register") else set()
            studio.jobs.pop(name)
        elif kind == "expire":
            # By themselves, when they have ended.
            for name in set(studio.of("unregister")) - set(running):
                studio.jobs.pop(name)
        assert not unaccounted(studio, unknown)
    if settled:
        studio.finish()
        wanted = studio.register and studio.projects != []
        assert studio.url in studio.registered or not wanted
        assert not unaccounted(studio, unknown, moved=not wanted)
    studio.now += timedelta(seconds=1)
    studio.delete()
    studio.settle()
    for name in studio.running():
        if last:
            studio.end(name, last)
    studio.settle()
    studio.now += timedelta(seconds=60)
    studio.settle()
    assert studio.gone
    studio.jobs.clear()
    assert not unaccounted(studio, unknown)
