"""Which version is to be served, after everything that can happen to one."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lsb_crds.decisions import Decisions
from lsb_crds.exit_codes import BAD_SURROUNDINGS
from lsb_operator.facts import RolledBack, Served
from lsb_operator.rollout import Model

OLD, NEW, NEWER = "4-aaaaaaaa", "5-bbbbbbbb", "6-cccccccc"


@pytest.fixture
def model(now):
    """The newest version has just taken over."""
    return Model(target=NEW, previous=OLD, promoted=NEW, since=now - timedelta(minutes=1))


def test_a_promotion_sets_the_target(decided, now) -> None:
    first = decided(Model(), promoted=(OLD,))
    assert (first.target, first.previous, first.since) == (OLD, None, now)
    second = decided(first, promoted=(OLD, NEW))
    assert (second.target, second.previous) == (NEW, OLD)


def test_versions_are_ordered_by_number_not_by_text(decided) -> None:
    assert decided(Model(), promoted=("10-aaaaaaaa", "9-bbbbbbbb")).target == "10-aaaaaaaa"


def test_what_is_promoted_stays_when_its_training_is_gone(decided, model) -> None:
    assert decided(model) == model


@pytest.mark.parametrize(
    "crash",
    [
        {"code": 1},
        {"code": 137, "reason": "OOMKilled"},
        {"code": 139, "reason": "Error"},
        {"code": 137, "probe": "Startup probe failed: connection refused"},
        {"code": 0, "reason": "Completed", "probe": "Liveness probe failed: timeout"},
        {"code": 143, "waits": "CrashLoopBackOff"},
    ],
)
def test_a_crash_brings_the_version_before_back(decided, model, pod, crash) -> None:
    rolled = decided(model, pod(NEW, **crash), promoted=(OLD, NEW))
    assert rolled.target == OLD
    assert rolled.condemned == (NEW,)
    assert rolled.rolled_back is not None
    assert rolled.rolled_back.version == NEW
    assert "ValueError: bad weights" in rolled.rolled_back.why
    # It is not tried again by itself, and stays rolled back once the old one serves.
    again = decided(rolled, pod(OLD, ready=True), promoted=(OLD, NEW))
    assert again == replace(rolled, proven=True)


@pytest.mark.parametrize(
    ("why", "more"),
    [
        (
            "no node has a GPU",
            {"phase": "Pending", "unschedulable": "Insufficient nvidia.com/gpu"},
        ),
        ("the image is missing", {"phase": "Pending", "waits": "ImagePullBackOff"}),
        ("the volume is missing", {"phase": "Pending", "mount": "MountVolume.SetUp failed"}),
        ("a Secret is missing", {"phase": "Pending", "waits": "CreateContainerConfigError"}),
        ("the container could not be started", {"code": 128, "reason": "StartError"}),
        ("the node was lost", {"code": 137, "reason": "ContainerStatusUnknown"}),
        ("the pod was evicted", {"code": 137, "phase": "Failed", "reason": "Error"}),
        ("the store cannot be opened", {"code": BAD_SURROUNDINGS, "waits": "CrashLoopBackOff"}),
        ("somebody stopped it", {"code": 143, "reason": "Error"}),
        ("it is being deleted", {"code": 1, "deleting": True}),
        ("it serves again", {"code": 1, "ready": True}),
        ("it is slow to become ready", {"probe": "Readiness probe failed: HTTP 503"}),
    ],
)
def test_what_is_not_the_versions_fault_condemns_nothing(decided, model, pod, why, more) -> None:
    rolled = decided(model, pod(NEW, **more), promoted=(OLD, NEW))
    assert rolled.target == NEW, why
    assert rolled.condemned == ()


def test_a_missing_gpu_that_lasts_condemns_nothing_either(decided, model, pod) -> None:
    waiting = pod(NEW, phase="Pending", unschedulable="Insufficient nvidia.com/gpu", probe="never asked")
    assert decided(model, waiting, gave_up=True).target == NEW


def test_surroundings_that_stay_bad_condemn_nothing_either(decided, model, pod) -> None:
    stuck = pod(NEW, BAD_SURROUNDINGS, probe="Startup probe failed: connection refused")
    assert decided(model, stuck, gave_up=True).target == NEW


def test_a_pod_that_never_becomes_ready_condemns_its_version(decided, model, pod) -> None:
    stuck = pod(NEW, probe="Readiness probe failed: HTTP 503")
    assert decided(model, stuck, gave_up=True).target == OLD


def test_a_crash_of_another_version_condemns_nothing(decided, model, pod) -> None:
    assert decided(model, pod(OLD, 1)) == model


def test_a_crash_before_the_target_was_set_condemns_nothing(decided, model, pod, now) -> None:
    later = replace(model, since=now + timedelta(minutes=1))
    assert decided(later, pod(NEW, 1)) == later


def test_one_crash_of_a_version_that_has_served_is_forgiven_a_loop_is_not(decided, model, pod) -> None:
    proven = decided(model, pod(NEW, ready=True, restarts=0))
    assert proven.proven
    assert decided(proven, pod(NEW, 1)) == proven
    assert decided(proven, pod(NEW, 1, waits="CrashLoopBackOff")).target == OLD


def test_a_pod_that_swaps_condemns_in_a_loop_only(decided, model, pod) -> None:
    """It was started for another version; the first crash may have been that one's."""
    assert decided(model, pod(None, 1), rollout="InPlace").target == NEW
    assert decided(model, pod(None, 1, waits="CrashLoopBackOff"), rollout="InPlace").target == OLD


def test_a_swap_that_failed_keeps_the_target(decided, model, pod) -> None:
    served = Served(OLD, error="model.onnx is damaged")
    assert decided(model, pod(None, ready=True, served=served), rollout="InPlace") == model


def test_without_another_version_there_is_no_way_back(decided, now, pod) -> None:
    alone = Model(target=NEW, promoted=NEW, since=now - timedelta(minutes=1))
    assert decided(alone, pod(NEW, 1), promoted=(NEW,)) == alone


def test_the_next_promotion_ends_the_roll_back(decided, model, pod) -> None:
    rolled = decided(model, pod(NEW, 1), promoted=(OLD, NEW))
    better = decided(rolled, promoted=(OLD, NEW, NEWER))
    assert (better.target, better.previous, better.rolled_back) == (NEWER, OLD, None)
    # Also the next one is given up for the last that was good, not for the one that was given up.
    again = decided(replace(better, since=None), pod(NEWER, 1), promoted=(OLD, NEW, NEWER))
    assert again.target == OLD
    assert again.condemned == (NEW, NEWER)


def test_a_pin_is_obeyed_and_its_end_too(decided, model) -> None:
    pinned = decided(model, pin=OLD, promoted=(OLD, NEW))
    assert (pinned.target, pinned.previous) == (OLD, NEW)
    held = decided(pinned, pin=OLD, promoted=(OLD, NEW, NEWER))
    assert held.target == OLD
    assert decided(held, promoted=(OLD, NEW, NEWER)).target == NEWER
    assert decided(held).target == NEWER


def test_a_pinned_version_that_crashes_is_left_until_somebody_pins_again(decided, model, pod) -> None:
    gone = "1-dddddddd"
    pinned = decided(model, pin=gone, promoted=(OLD, NEW))
    crashed = decided(replace(pinned, since=None), pod(gone, 1), pin=gone, promoted=(OLD, NEW))
    assert crashed.target == NEW
    assert crashed.rolled_back is not None
    assert crashed.rolled_back.version == gone
    assert decided(crashed, pin=gone, promoted=(OLD, NEW)) == crashed
    free = decided(crashed, promoted=(OLD, NEW))
    assert (free.target, free.rolled_back) == (NEW, None)
    assert decided(free, pin=gone, promoted=(OLD, NEW)).target == gone


def test_a_condemned_version_can_be_pinned(decided, model, pod) -> None:
    rolled = decided(model, pod(NEW, 1), promoted=(OLD, NEW))
    assert decided(rolled, pin=NEW, promoted=(OLD, NEW)).target == NEW


def test_the_record_survives_being_written_down(model) -> None:
    whole = replace(
        model, pin=OLD, proven=True, condemned=(OLD, NEWER), rolled_back=RolledBack(NEWER, "it crashed")
    )
    assert Model.read(whole.data()) == whole


def test_a_record_that_somebody_spoilt_is_read_as_far_as_it_goes() -> None:
    spoilt = {
        "target": "../etc",
        "previous": OLD,
        "since": "yesterday",
        "condemned": f"x {NEW}",
        "proven": "?",
    }
    assert Model.read(spoilt) == Model(previous=OLD, condemned=(NEW,))


def test_a_lost_record_is_recovered_from_the_status(decided) -> None:
    recovered = Model.recovered({"model": {"target": NEW, "previous": OLD, "version": NEW}}, Decisions())
    assert decided(recovered).target == NEW
    assert Model.recovered({}, Decisions()) == Model()


def test_another_life_of_the_backend_never_serves_what_was_rolled_back(decided) -> None:
    volume = Decisions(promoted=OLD, rolled_back=(NEW,))
    born = decided(Model.recovered({}, volume))
    # Whether the volume still has it, and for the right task, is found out by a Job.
    assert (born.target, born.decisions) == (None, volume)
    assert decided(born, promoted=(NEW,)).target is None
    assert decided(born, promoted=(OLD,)).target == OLD
    assert Model.read(born.data()) == born


def test_what_the_store_is_told_is_what_was_promoted_and_what_was_given_up(decided, model, pod) -> None:
    assert model.decisions == Decisions(promoted=NEW)
    crashed = decided(model, pod(NEW, 1))
    assert crashed.decisions == Decisions(promoted=OLD, rolled_back=(NEW,))
    pinned = decided(crashed, pin="1-dddddddd", promoted=(OLD,))
    assert (pinned.target, pinned.decisions.promoted) == ("1-dddddddd", OLD)


VERSIONS = st.sampled_from(["0-aaaaaaaa", "1-aaaaaaaa", "2-aaaaaaaa", "3-aaaaaaaa"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("promote"), VERSIONS),
        st.tuples(st.just("pin"), st.one_of(st.none(), VERSIONS)),
        st.tuples(st.just("crash"), st.just("")),
        st.tuples(st.just("ready"), st.just("")),
    ),
    max_size=12,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_deciding_twice_changes_nothing_and_a_target_is_never_lost(decided, pod, steps) -> None:
    model, promoted, pin = Model(), [], None
    for kind, what in steps:
        before = model
        pods = []
        if kind == "promote":
            promoted.append(what)
        elif kind == "pin":
            pin = what
        elif model.target is not None:
            looping = pod(model.target, 1, waits="CrashLoopBackOff")
            pods = [looping if kind == "crash" else pod(model.target, ready=True)]
        model = decided(replace(model, since=None), *pods, pin=pin, promoted=tuple(promoted))
        quiet = [one for one in pods if one.version == model.target]
        if kind != "crash":
            assert decided(model, *quiet, pin=pin, promoted=tuple(promoted)) == model
        assert Model.read(model.data()) == model
        assert model.target is not None or before.target is None
        assert model.target is None or model.target not in model.condemned
        if pin is not None and pin not in model.condemned:
            assert model.target == pin
