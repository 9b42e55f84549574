"""A backend goes into Label Studio's projects, stays there, and leaves, wherever the operator dies."""

from datetime import timedelta

import pytest

from lsb_operator import actions as do
from lsb_operator import marks
from lsb_operator.former import DELETE_IT, LEFT_BEHIND
from lsb_operator.times import written


def test_nothing_is_registered_before_the_backend_can_answer(fresh) -> None:
    studio = fresh()
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


def test_an_older_job_that_still_runs_cannot_have_the_last_word(fresh) -> None:
    studio = fresh()
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


def test_a_deletion_waits_for_a_register_job_that_runs(fresh) -> None:
    studio = fresh()
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


def test_a_register_job_that_nobody_admits_holds_nothing_up(fresh) -> None:
    studio = fresh()
    studio.settle()
    (old,) = studio.jobs
    studio.jobs[old]["spec"]["suspend"] = True
    studio.register = False
    studio.settle()
    (undoing,) = studio.of("unregister")
    assert undoing in studio.running()


def test_a_failed_try_is_the_record_of_itself_until_another_can_begin(fresh) -> None:
    studio = fresh()
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


def test_a_job_that_runs_ends_before_its_work_is_undone(fresh) -> None:
    studio = fresh()
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


def test_refusals_are_followed_by_tries_that_grow_rarer(fresh) -> None:
    studio = fresh()
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


def test_another_spec_is_tried_as_soon_as_a_first_one(fresh) -> None:
    studio = fresh()
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
    setattr(studio, back, {"register": False, "url": "http://other:8080"}[back])
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


def test_a_backend_that_was_never_registered_is_deleted_at_once(fresh) -> None:
    studio = fresh()
    studio.register = False
    studio.settle()
    assert studio.metadata["finalizers"] == []
    studio.delete()
    assert studio.plan().actions == ()
