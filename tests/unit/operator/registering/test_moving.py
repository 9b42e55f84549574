"""A backend leaves one Label Studio for another."""

from datetime import timedelta

import pytest

from lsb_operator import actions as do
from lsb_operator import marks
from lsb_operator.former import DELETE_IT, LEFT_BEHIND

MOVED = "http://other:8080"


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
