"""Serving pods serve what they are told, ask for trainings as the operator does, and share by Redis."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from operating import eventually
from pods import Container, Pods
from redis_server import RedisServer

from lsb_backend.store.card import CardDraft
from lsb_backend.store.promotion import Verdict
from lsb_backend.store.store import Store
from lsb_crds.exit_codes import BAD_SURROUNDINGS
from lsb_operator.observe import served_by

PATIENCE = 300.0
SpecOf = Callable[..., dict[str, Any]]
BUTTON = {"action": "START_TRAINING", "project": {"id": 1}}
ANNOTATED = {"action": "ANNOTATION_CREATED", "project": {"id": 1}}


def copy_of_first(store: Store, exported: bytes | None = None) -> str:
    """Another version: the first one's files, or a model that is none."""
    first = store.folder(str(store.promotion().promoted))
    card = store.card(first.name)
    with store.staging() as staging:
        weights = (first / "weights.pt").read_bytes() + str(len(store.versions())).encode()
        (staging / "weights.pt").write_bytes(weights)
        (staging / "model.onnx").write_bytes(exported or (first / "model.onnx").read_bytes())
        return store.commit(
            staging, CardDraft(task="detect", classes=card.classes, trained=True, run=None)
        ).version


def trainings(pods: Pods) -> list[dict[str, Any]]:
    found = pods.studio.api.get(pods.studio.path("LabelStudioTraining"))["items"]
    return sorted(found, key=lambda one: one["metadata"]["name"])


def names(pods: Pods) -> list[str]:
    return [one["metadata"]["name"] for one in trainings(pods)]


def until_served(container: Container, version: str | None) -> None:
    eventually(lambda: container.serves() == version, f"{version} is served", PATIENCE)


def told(container: Container, version: str) -> None:
    """The file that the pod follows names another version."""
    assert container.configuration is not None
    container.configuration.write(version=version)


def test_a_pod_serves_what_its_file_names_and_nothing_that_the_store_thinks(
    pods: Pods, spec_of: SpecOf
) -> None:
    pods.apply(**spec_of())
    store = Store.open(pods.store)
    first = str(store.promotion().promoted)
    other = copy_of_first(store)
    store.promote(other)
    pod = pods.serve(first)
    until_served(pod, first)
    told(pod, other)
    until_served(pod, other)
    broken = copy_of_first(store, b"no model")
    told(pod, broken)
    eventually(lambda: served_by(pod.status()).error, "the failed swap is told", PATIENCE)
    assert broken in str(served_by(pod.status()).error)
    assert pod.serves() == other
    missing = "99-01234567"
    told(pod, missing)
    eventually(lambda: missing in str(served_by(pod.status()).error), "so is a missing version", PATIENCE)
    assert pod.serves() == other
    told(pod, first)
    until_served(pod, first)
    assert served_by(pod.status()).error is None


def test_a_pod_waits_for_a_version_that_is_not_named_or_not_there_yet(pods: Pods, spec_of: SpecOf) -> None:
    pods.apply(**spec_of())
    store = Store.open(pods.store)
    first = str(store.promotion().promoted)
    pod = pods.serve(None)
    eventually(lambda: pod.get("/livez")[0] == 200, "it lives", PATIENCE)
    code, body = pod.get("/readyz")
    assert code == 503
    assert "no version is named yet" in json.dumps(body)
    hidden = pods.folder / "hidden"
    shutil.move(store.folder(first), hidden)
    told(pod, first)
    eventually(lambda: first in json.dumps(pod.get("/readyz")[1]), "it says which is missing", PATIENCE)
    assert pod.get("/readyz")[0] == 503
    shutil.move(hidden, store.versions_folder / first)
    until_served(pod, first)


def test_a_version_that_a_new_pod_cannot_load_ends_it_and_what_else_is_wrong_is_told_apart(
    pods: Pods, spec_of: SpecOf
) -> None:
    pods.apply(**spec_of())
    store = Store.open(pods.store)
    broken = copy_of_first(store, b"no model")
    pod = pods.serve(broken)
    assert pod.wait() == 1, pod.log
    assert broken in pod.message
    assert "cannot be loaded" in pod.message
    assert "Traceback" not in pod.log
    (pods.store / "store.json").write_text('{"format": 99}')
    other = pods.serve(str(store.promotion().promoted))
    assert other.wait() == BAD_SURROUNDINGS, other.log
    assert "newer release" in other.message


def test_the_button_asks_for_one_training_however_often_and_wherever_it_is_pressed(
    pods: Pods, spec_of: SpecOf
) -> None:
    pods.apply(**spec_of())
    first = str(Store.open(pods.store).promotion().promoted)
    both = [pods.serve(first), pods.serve(first)]
    for pod in both:
        until_served(pod, first)
    for pod in both * 2:
        code, answer = pod.post("/webhook", BUTTON)
        assert (code, answer["job"]) == (200, "cats-after-0"), answer
    [asked] = trainings(pods)
    uid = pods.studio.get("LabelStudioBackend", "cats")["metadata"]["uid"]
    assert asked["spec"] == {"backend": "cats", "reason": "Button", "arguments": {}, "force": False}
    assert [owner["uid"] for owner in asked["metadata"]["ownerReferences"]] == [uid]
    eventually(lambda: (both[0].status()["training"] or {}).get("run") == "cats-after-0", "it is shown")
    pods.end_training("cats-after-0", "Rejected")
    assert both[1].post("/webhook", BUTTON)[1]["job"] == "cats-after-1"
    eventually(lambda: "cats-after-0: Rejected" in str(both[0].status()["last_training"]), "its end is shown")
    assert names(pods) == ["cats-after-0", "cats-after-1"]
    # What a pod's store or child processes would do on a laptop, it leaves alone.
    assert list((pods.store / "runs").iterdir()) == []


def test_without_rights_the_button_says_so(pods: Pods, spec_of: SpecOf) -> None:
    pods.apply(**spec_of())
    first = str(Store.open(pods.store).promotion().promoted)
    pods.studio.kubectl("delete", "rolebinding", "cats-serve")
    pod = pods.serve(first)
    until_served(pod, first)
    answer = pod.post("/webhook", BUTTON)[1]
    assert answer["job"] is None
    assert "refuses (403)" in answer["message"]
    eventually(lambda: "403" in str(pod.status()["cluster"]), "the page says it too")


def test_what_the_operator_decides_while_pods_serve_is_written_into_the_store(
    pods: Pods, spec_of: SpecOf
) -> None:
    pods.apply(**spec_of())
    store = Store.open(pods.store)
    first = str(store.promotion().promoted)
    approved, worse = copy_of_first(store), copy_of_first(store)
    store.await_approval(approved)
    store.promote(worse)
    pod = pods.serve(first)
    until_served(pod, first)
    assert pod.configuration is not None
    pod.configuration.write(decisions=json.dumps({"promoted": approved, "rolledBack": [worse]}))
    eventually(lambda: store.promotion().promoted == approved, "the approval is in the store")
    eventually(lambda: store.promotion().verdict(worse) is Verdict.ROLLED_BACK, "so is the roll-back")
    assert pod.serves() == first


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(folder).start()
    yield server
    server.kill()


def test_no_trigger_is_lost_or_doubled_while_redis_goes_and_comes(
    pods: Pods,
    spec_of: SpecOf,
    annotated: Callable[[int], int],
    label_studio: Any,
    redis: RedisServer,
) -> None:
    project = annotated(5)
    pods.token, pods.redis_url = label_studio.token, redis.url
    studio = {"url": label_studio.url, "projects": [project]}
    triggers = {"triggers": {"annotations": 5}, "minimumAnnotations": 4}
    sharing = {"mode": "External", "urlSecretRef": {"name": "redis", "key": "url"}}
    pods.apply(**spec_of(labelStudio=studio, training=triggers, redis=sharing))
    first = str(Store.open(pods.store).promotion().promoted)
    both = [pods.serve(first), pods.serve(first)]
    for pod in both:
        until_served(pod, first)
    eventually(lambda: names(pods) == ["cats-after-0"], "the annotations ask for a training", PATIENCE)
    assert trainings(pods)[0]["spec"]["reason"] == "Annotations"
    for pod in both:
        eventually(lambda pod=pod: pod.status()["changed_tasks"] == 5, "both show the count", PATIENCE)

    redis.kill()
    for pod in both:
        eventually(lambda pod=pod: pod.status()["redis"], "its loss is told", PATIENCE)
    # It learned nothing, so that as many annotations count as before.
    pods.end_training("cats-after-0", "Failed")
    for pod in both * 2:
        assert pod.post("/webhook", ANNOTATED)[0] == 200
    eventually(lambda: len(names(pods)) == 2, "each counts for itself", PATIENCE)
    for pod in both:
        assert pod.serves() == first

    redis.start()
    for pod in both:
        eventually(lambda pod=pod: pod.status()["redis"] is None, "it is used again", PATIENCE)
    pods.end_training("cats-after-1", "Failed")
    for pod in both:
        assert pod.post("/webhook", ANNOTATED)[0] == 200
    eventually(lambda: len(names(pods)) == 3, "it is asked for once more", PATIENCE)
    assert names(pods) == ["cats-after-0", "cats-after-1", "cats-after-2"]
    for pod in both:
        assert sum("Redis is not used" in line for line in pod.log.splitlines()) == 1
        assert sum("Redis answers" in line for line in pod.log.splitlines()) == 1
        assert "Traceback" not in pod.log
