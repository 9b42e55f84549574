"""What holds for every status, whatever the facts."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lsb_crds.conditions import BackendCondition
from lsb_crds.status import BackendStatus
from lsb_operator.events import events
from lsb_operator.facts import (
    Facts,
    Observed,
    PodFacts,
    RolledBack,
    Served,
    Terminated,
    TrainingFacts,
    Waiting,
)
from lsb_operator.page import page
from lsb_operator.phase import MEANINGS
from lsb_operator.reasons import Reason
from lsb_operator.status import changed, status

ROOT = Path(__file__).parents[4]
COMPONENTS = ["serve", "train", "prepare", "register", "redis", ""]
versions = st.sampled_from([None, "3-0a1b2c3d", "2-ffffffff", "not a version"])
words = st.one_of(st.none(), st.text(max_size=40), st.just("x" * 5000), st.just('secret "a" not found'))
counts = st.integers(0, 3)
pods = st.builds(
    PodFacts,
    name=st.sampled_from(["cats-1", "cats-2"]),
    component=st.sampled_from(COMPONENTS),
    phase=st.sampled_from(["Pending", "Running", "Succeeded", "Failed"]),
    ready=st.booleans(),
    started=st.booleans(),
    restarts=counts,
    version=versions,
    served=st.one_of(st.none(), st.builds(Served, version=versions, error=words)),
    node=st.sampled_from([None, "node-1"]),
    waiting=st.one_of(
        st.none(),
        st.builds(
            Waiting,
            container=st.just("serve"),
            reason=st.sampled_from(
                ["", "ContainerCreating", "ImagePullBackOff", "InvalidImageName", "CrashLoopBackOff", "New"]
            ),
            message=words.map(lambda text: text or ""),
        ),
    ),
    ended=st.one_of(
        st.none(),
        st.builds(
            Terminated,
            container=st.just("serve"),
            exit_code=st.sampled_from([0, 1, 137]),
            reason=st.sampled_from(["", "OOMKilled", "Error"]),
            message=st.sampled_from(["", "{", "[" * 5000, '{"message": 3}', '{"message": "no"}', "\x00\n"]),
        ),
    ),
    unschedulable=words,
    mount=words,
    probe=words,
    reason=st.sampled_from([None, "Evicted"]),
    message=words,
)
trainings = st.builds(
    TrainingFacts,
    name=st.integers(0, 30).map(lambda number: f"cats-after-{number}"),
    reason=st.sampled_from(["Prepare", "Annotations", "Manual"]),
    job=st.sampled_from([None, "a-job"]),
    phase=st.sampled_from([None, "Queued", "Running", "Failed", "Succeeded", "Rejected", "Superseded"]),
    progress=st.sampled_from([{}, {"epoch": 3, "epochs": 10}, {"epoch": 99, "epochs": 100}]),
    result=st.sampled_from([{}, {"message": "x" * 4000}, {"candidate": 0.1, "served": 0.2}]),
    message=words,
)
deployments = st.builds(
    lambda replicas, updated, ready, seen: Observed(
        {"name": "cats", "generation": 1},
        True,
        {
            "replicas": replicas,
            "updatedReplicas": updated,
            "readyReplicas": ready,
            "observedGeneration": seen,
        },
    ),
    counts,
    counts,
    counts,
    st.integers(0, 1),
)


@st.composite
def known(draw: st.DrawFn) -> dict[str, Any]:
    """Everything in Facts but the backend and the time."""
    observed = draw(st.one_of(st.none(), deployments))
    return {
        "children": {("Deployment", "cats"): observed} if observed else {},
        "pods": tuple(draw(st.lists(pods, max_size=3))),
        "trainings": tuple(draw(st.lists(trainings, max_size=14, unique_by=lambda one: one.name))),
        "target": draw(versions),
        "previous": draw(versions),
        "rolled_back": draw(st.one_of(st.none(), st.builds(RolledBack, versions.map(str), st.text()))),
        "refused": tuple(draw(st.lists(st.just("Service cats"), max_size=1))),
        "unapplied": draw(st.sampled_from([{}, {("Ingress", "cats"): ""}, {("Ingress", "cats"): "denied"}])),
        "missing": tuple(draw(st.lists(st.sampled_from(["Secret studio/a key b", "Odd thing"]), max_size=2))),
    }


specs = st.sampled_from(
    [{}, {"suspend": True}, {"labelStudio": {"projects": [1]}}, {"training": {"whileTraining": "Pause"}}]
)


def _facts(world: Any, found: dict[str, Any], later: int = 0) -> Facts:
    return Facts(backend=world.backend, now=world.now + timedelta(minutes=later), **found)


def _status(world: Any, facts: Facts) -> dict[str, Any]:
    return status(world.model, world.resolved, facts)


@settings(max_examples=150, deadline=None)
@given(found=known(), spec=specs)
def test_the_same_facts_twice_change_nothing(make: Any, found: dict[str, Any], spec: dict[str, Any]) -> None:
    world = make()
    world.spec(spec)
    first = _status(world, _facts(world, found))
    world.backend["status"] = first
    second = _status(world, _facts(world, found, later=7))
    assert not changed(first, second)
    assert events(first, second) == []


@settings(max_examples=150, deadline=None)
@given(found=known(), spec=specs)
def test_every_status_is_one_that_the_api_server_takes(
    make: Any, found: dict[str, Any], spec: dict[str, Any]
) -> None:
    world = make()
    world.spec(spec)
    made = _status(world, _facts(world, found))
    BackendStatus.model_validate(made)
    assert list(made)[-1] == "observedGeneration", "written last"
    generations = [made["observedGeneration"], *(one["observedGeneration"] for one in made["conditions"])]
    assert set(generations) == {4}
    kinds = [one["type"] for one in made["conditions"]]
    assert len(kinds) == len(set(kinds))
    assert "Ready" in kinds
    assert not {"Reconciling", "Stalled"} <= set(kinds), "kstatus reads one of the two"
    assert {one["reason"] for one in made["conditions"]} <= set(Reason)
    assert made["phase"] in MEANINGS


@settings(max_examples=100, deadline=None)
@given(before=known(), after=known())
def test_times_change_where_a_status_flips_and_nowhere_else(
    make: Any, before: dict[str, Any], after: dict[str, Any]
) -> None:
    world = make()
    first = _status(world, _facts(world, before))
    world.backend["status"] = first
    second = _status(world, _facts(world, after, later=5))
    old = {one["type"]: one for one in first["conditions"]}
    for one in second["conditions"]:
        kept = old.get(one["type"], {}).get("status") == one["status"]
        expected = "2026-01-31T12:00:00Z" if kept else "2026-01-31T12:05:00Z"
        assert one["lastTransitionTime"] == expected


def test_what_the_server_leaves_out_is_no_difference() -> None:
    assert not changed(
        {"model": {"target": "1-00000000"}}, {"model": {"target": "1-00000000", "metrics": {}}}
    )
    assert not changed(None, {"training": None, "lastTrainings": []})
    assert changed(None, {"phase": "Ready"})


def test_every_phase_of_the_definition_has_a_meaning() -> None:
    from typing import get_args

    from lsb_crds.status import BackendPhase

    assert set(MEANINGS) == set(get_args(BackendPhase))


def test_the_page_is_fresh_and_complete() -> None:
    text = (ROOT / "docs/conditions.md").read_text(encoding="utf-8")
    assert text == page(), "make it anew: python -m lsb_operator.page docs/conditions.md"
    assert [kind for kind in BackendCondition if f"- **{kind}**: " not in text] == []
