"""The serving pods: how many, how they are replaced, and what makes them other pods."""

from collections.abc import Callable
from typing import Any

import pytest

from lsb_crds.backend import LabelStudioBackend
from lsb_operator import names
from lsb_operator.facts import Facts, Manifest, Observed, TrainingFacts

Backend = Callable[..., LabelStudioBackend]
FactsOf = Callable[..., Facts]
Built = Callable[..., dict[tuple[str, str], Manifest]]
GPU = {"resources": {"limits": {"nvidia.com/gpu": 1}}}
DEPLOYMENT = ("Deployment", "cats")


@pytest.fixture
def replicas(backend_of: Backend, facts_of: FactsOf, built: Built) -> Callable[..., int]:
    def count(spec: dict[str, Any], **known: Any) -> int:
        found: int = built(backend_of(spec), facts_of(**known))[DEPLOYMENT]["spec"]["replicas"]
        return found

    return count


def test_nothing_serves_before_there_is_a_version(replicas: Callable[..., int]) -> None:
    assert replicas({"serving": {"replicas": 3}}, target=None) == 0
    assert replicas({"serving": {"replicas": 3}}) == 3


def test_a_suspended_backend_has_no_pods(replicas: Callable[..., int]) -> None:
    assert replicas({"suspend": True}) == 0


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        ("Pending", 2),
        ("Queued", 2),
        ("Running", 0),
        ("Evaluating", 0),
        ("AwaitingApproval", 2),
        ("Failed", 2),
    ],
)
def test_the_gpu_is_lent_while_a_training_has_it(
    replicas: Callable[..., int], phase: str, expected: int
) -> None:
    trainings = (TrainingFacts("cats-after-1", phase="Succeeded"), TrainingFacts("cats-after-2", phase=phase))
    spec = {"serving": {"replicas": 2}, "training": {"whileTraining": "Pause"}}
    assert replicas(spec, trainings=trainings) == expected
    assert replicas({"serving": {"replicas": 2}}, trainings=trainings) == 2


@pytest.mark.parametrize(
    ("serving", "strategy"),
    [
        ({}, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}),
        (GPU, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}),
        ({"rollout": "Recreate"}, {"type": "Recreate"}),
    ],
)
def test_a_lone_gpu_is_never_needed_twice(
    backend_of: Backend, built: Built, serving: dict[str, Any], strategy: Manifest
) -> None:
    assert built(backend_of({"serving": serving}))[DEPLOYMENT]["spec"]["strategy"] == strategy


@pytest.mark.parametrize(
    ("rollout", "stamped"), [("RollingUpdate", True), ("Recreate", True), ("InPlace", False)]
)
def test_a_version_makes_new_pods_unless_they_swap_it_themselves(
    backend_of: Backend, facts_of: FactsOf, built: Built, rollout: str, stamped: bool
) -> None:
    backend = backend_of({"serving": {"rollout": rollout}})
    old, new = (
        built(backend, facts_of(target))[DEPLOYMENT]["spec"]["template"]
        for target in ("3-0a1b2c3d", "4-0a1b2c3d")
    )
    assert (old != new) == stamped
    assert new["metadata"]["annotations"].get(names.VERSION) == ("4-0a1b2c3d" if stamped else None)


@pytest.mark.parametrize(
    ("section", "change", "rolls"),
    [
        ("labelStudio", {"url": "http://other:8080"}, True),
        ("labelStudio", {"url": "http://label-studio:8080", "projects": [7]}, True),
        ("labelStudio", {"url": "http://label-studio:8080", "mediaHosts": ["images"]}, True),
        ("labelStudio", {"url": "http://label-studio:8080", "register": False}, False),
        ("model", {"confidence": 0.5}, True),
        ("model", {"version": "3-0a1b2c3d"}, False),
        ("model", {"weights": "yolov8l.pt"}, False),
        ("serving", {"precision": "auto"}, True),
        ("serving", {"replicas": 5}, False),
        ("serving", {"rollout": "Auto"}, False),
        ("training", {"epochs": 7, "keepVersions": 3, "whileTraining": "Pause"}, False),
        ("training", {"triggers": {"schedule": "0 2 * * *"}}, False),
        ("training", {"triggers": {"annotations": 7}}, True),
        ("training", {"minimumAnnotations": 7}, True),
        ("prelabel", {"rate": 2}, True),
        ("storage", {"size": "20Gi"}, False),
        ("networkPolicy", {"enabled": True}, False),
        ("ingress", {"host": "ml.example.org"}, False),
        ("ingress", {"host": "ml.example.org", "path": "/cats"}, True),
        ("suspend", True, False),
    ],
)
def test_pods_are_replaced_for_what_they_read_once(
    backend_of: Backend, built: Built, section: str, change: Any, rolls: bool
) -> None:
    before, after = (
        built(backend)[DEPLOYMENT]["spec"]["template"]
        for backend in (backend_of(), backend_of({section: change}))
    )
    assert (before != after) == rolls


def test_a_new_release_alone_keeps_the_images(backend_of: Backend, facts_of: FactsOf, built: Built) -> None:
    backend = backend_of()
    old = built(backend, release="1.0.0")[DEPLOYMENT]
    known = {DEPLOYMENT: Observed(metadata=old["metadata"], owned_by_us=True)}
    same = built(backend, facts_of(children=known), release="2.0.0")[DEPLOYMENT]
    assert same == old
    promoted = built(backend, facts_of("4-0a1b2c3d", children=known), release="2.0.0")[DEPLOYMENT]
    assert _image(promoted) == _image(old)
    changed = backend_of({"model": {"confidence": 0.5}})
    assert _image(built(changed, facts_of(children=known), release="2.0.0")[DEPLOYMENT]).endswith(":2.0.0")


def test_variables_of_the_manifest_win(backend_of: Backend, built: Built) -> None:
    serving = {"env": [{"name": "HOME", "value": "/home"}, {"name": "EMPTY"}]}
    (container,) = _pod(built(backend_of({"serving": serving}))[DEPLOYMENT])["containers"]
    assert container["env"] == [{"name": "HOME", "value": "/home"}, {"name": "EMPTY"}]


@pytest.mark.parametrize(
    ("triggers", "task", "needed"),
    [({}, "detect", True), ({"button": False, "annotations": 0}, "detect", False), ({}, "dummy", False)],
)
def test_the_token_of_the_api_server_is_mounted_where_trainings_are_asked_for(
    backend_of: Backend, built: Built, triggers: dict[str, Any], task: str, needed: bool
) -> None:
    backend = backend_of({"training": {"triggers": triggers}, "model": {"task": task}})
    assert _pod(built(backend)[DEPLOYMENT])["automountServiceAccountToken"] is needed


def _pod(deployment: Manifest) -> Manifest:
    pod: Manifest = deployment["spec"]["template"]["spec"]
    return pod


def _image(deployment: Manifest) -> str:
    return str(_pod(deployment)["containers"][0]["image"])
