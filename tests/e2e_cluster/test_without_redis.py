"""The loop once more, for a backend without Redis, while the operator is killed again and again."""

import random
import time
from collections.abc import Callable

import pytest
import shapes
from cluster import Cluster
from installed import Installed, eventually, kill_operator
from label_studio_admin import LabelStudioAdmin

from .conftest import PICTURES, Project

pytestmark = pytest.mark.node
NAME = "second"
TRAINING = f"{NAME}-after-0"
SEED = 20261125


@pytest.fixture(scope="module")
def second(installed: Installed) -> Installed:
    """Another backend of the same namespace."""
    return Installed(installed.cluster, name=NAME)


@pytest.fixture(scope="module")
def pictures(studio: LabelStudioAdmin, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of its own."""
    number = studio.create_project("Without Redis", shapes.LABEL_CONFIG)
    studio.upload(number, shapes.write(tmp_path_factory.mktemp("more"), range(PICTURES)))
    return Project(studio, number, dict(enumerate(studio.tasks(number))))


def _job(second: Installed, name: str) -> bool:
    found = second.items("jobs", f"--field-selector=metadata.name={name}")
    return bool(found and found[0]["status"].get("succeeded"))


def _epoch(second: Installed) -> int:
    status = second.trainings()[TRAINING].get("status") or {}
    return int((status.get("progress") or {}).get("epoch") or 0)


def _target(second: Installed) -> str | None:
    target: str | None = ((second.backend().get("status") or {}).get("model") or {}).get("target")
    return target


def test_without_redis_and_with_an_operator_that_dies_at_every_turn_the_loop_ends_the_same(
    second: Installed, pictures: Project, cluster: Cluster, figures: dict[str, str]
) -> None:
    chance = random.Random(SEED)
    kills: list[str] = []

    def killed_after(happened: Callable[[], object], what: str) -> None:
        eventually(happened, what)
        # Somewhere in what follows.
        wait = chance.uniform(0, 3)
        time.sleep(wait)
        kill_operator(cluster)
        kills.append(f"{wait:.1f} s after: {what}")

    second.apply_backend(labelStudio={"projects": [pictures.number]}, redis={"mode": "None"})
    killed_after(lambda: second.pods("prepare"), "the first version is asked for")
    killed_after(lambda: second.running("serve"), "a pod serves it")
    eventually(lambda: second.is_true("Registered"), "the backend is registered")
    second.until_ready()
    first = str(second.version())
    with second.called(pictures.bodies(2)) as calls:
        pictures.annotate(30)
        killed_after(lambda: TRAINING in second.trainings(), "a training is asked for")
        killed_after(lambda: second.running("train"), "its pod runs")
        killed_after(lambda: _epoch(second) >= 1, "an epoch is done")
        killed_after(lambda: _job(second, f"{TRAINING}-train"), "its Job has succeeded")
        killed_after(lambda: _target(second) not in (None, first), "the new version is the target")
        ended = second.until_trained(TRAINING)
        version = ended["status"]["result"]["version"]
        eventually(lambda: second.version() == version, "every pod serves it")
        second.until_ready()
        eventually(lambda: version in second.kubectl("logs", "caller", "--tail=5"), "it answers")
    figures["the operator was killed"] = "; ".join(kills)
    assert ended["status"]["phase"] == "Succeeded"
    assert calls.failed == []
    assert calls.versions == [version]
    assert list(second.trainings()) == [TRAINING]
    assert len(pictures.admin.backends(pictures.number)) == 1
    assert len(pictures.admin.webhooks(pictures.number)) == 1
    assert second.pods("redis") == []
    waiting = pictures.waiting()
    eventually(
        lambda: all(pictures.predicted(number, version) for number in waiting), "predictions are refreshed"
    )
    assert sum(pictures.right(number, version) for number in waiting) >= len(waiting) * 2 // 3
