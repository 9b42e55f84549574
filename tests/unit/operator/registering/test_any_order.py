"""Whatever happens in whatever order, the spec holds in the end and no Label Studio is forgotten."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from lsb_operator import marks

EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("work"), st.integers(0, 3)),
        st.tuples(st.just("settle"), st.none()),
        st.tuples(st.just("end"), st.tuples(st.integers(0, 2), st.sampled_from(["Complete", "Failed"]))),
        st.tuples(st.just("projects"), st.sampled_from([[1], [2], []])),
        st.tuples(st.just("register"), st.booleans()),
        st.tuples(st.just("url"), st.sampled_from(["http://studio:8080", "http://other:8080"])),
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
def test_in_any_order_the_spec_holds_and_nothing_is_left_behind(fresh, events, settled, last) -> None:
    studio = fresh.in_its_project()
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
