"""Whatever goes wrong: the status says what, where, and what to do about it."""

from datetime import timedelta
from typing import Any

import pytest

from lsb_crds.status import BackendStatus
from lsb_operator.failures.containers import probe_due


def _prepare(world: Any, row: dict[str, Any]) -> dict[str, Any]:
    world.spec(row.get("spec", {}))
    world.deployment(replicas=1, updated=1, ready=0, **row.get("deployment", {}))
    for change in row.get("pods", []):
        world.pod(**change)
    for made in row.get("objects", []):
        world.add(
            made["kind"], made["metadata"]["name"], made.get("component", "serve"), status=made["status"]
        )
    for event in row.get("events", []):
        world.event(*event)
    for training in row.get("trainings", []):
        world.training(training["metadata"]["name"], **training)
    world.served = row.get("served", {})
    known = dict(row.get("known", {}))
    if "unapplied" in known:
        known["unapplied"] = {(kind, name): answer for kind, name, answer in known["unapplied"]}
    return dict(world.status(**known))


def test_a_failure_says_what_to_do(row: dict[str, Any], world: Any, of: Any) -> None:
    status = _prepare(world, row)
    ready = of(status, "Ready")
    assert (ready["status"], ready["reason"]) == ("False", row["ready"])
    assert [part for part in row["says"] if part not in ready["message"]] == [], ready["message"]
    assert status["phase"] == row["phase"]
    if row.get("stalled"):
        stalled = of(status, "Stalled")
        assert (stalled["reason"], stalled["message"]) == (ready["reason"], ready["message"])
        assert of(status, "Reconciling") is None
    else:
        assert of(status, "Stalled") is None
        assert of(status, "Reconciling")["message"] == ready["message"]


def test_every_status_fits_the_definition(row: dict[str, Any], world: Any) -> None:
    BackendStatus.model_validate(_prepare(world, row))


@pytest.mark.parametrize("component", ["serve", "train", "redis"])
def test_the_advice_names_the_part_of_the_spec(component: str, world: Any) -> None:
    from lsb_operator.failures.pods import pod_failure

    killed = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    status = {"containerStatuses": [{"name": "main", "restartCount": 0, "state": killed}], "conditions": []}
    world.pod(component=component, status=status)
    found = pod_failure(world.facts().pods[0], "studio", world.now)
    field = {"serve": "serving", "train": "training", "redis": "redis"}[component]
    assert f"raise spec.{field}.resources.limits.memory" in found.message


def test_the_first_failure_speaks_for_all(world: Any, of: Any) -> None:
    world.deployment(ready=0)
    world.add("PersistentVolumeClaim", "cats-weights", status={"phase": "Lost"})
    world.pod(status={"phase": "Failed", "reason": "Evicted", "conditions": [], "containerStatuses": []})
    assert of(world.status(), "Ready")["reason"] == "VolumePending"
    assert of(world.status(refused=("Service cats",)), "Ready")["reason"] == "NameConflict"


REFUSED = 'Startup probe failed: Get "http://10.7.0.5:9090/livez": dial tcp 10.7.0.5:9090: connection refused'
LOADING = "Readiness probe failed: HTTP probe failed with statuscode: 503"


@pytest.mark.parametrize(
    ("started", "at", "unready", "restarts", "words", "reason"),
    [
        # Its image came late, and it has begun just now: created ten minutes ago it is, like all of these.
        (False, "11:59:58", "11:50:00", 0, REFUSED, "Deploying"),
        # A slow disk: the startup probe gives it five minutes, and the kubelet acts on that.
        (False, "11:56:00", "11:50:00", 0, REFUSED, "Deploying"),
        (True, "11:59:00", "11:50:00", 0, LOADING, "Deploying"),
        # Overloaded for a moment.
        (True, "11:50:05", "11:59:00", 0, LOADING, "Deploying"),
        (True, "11:57:59", "11:50:00", 0, LOADING, "ProbeFailing"),
        (True, "11:50:05", "11:57:00", 0, LOADING, "ProbeFailing"),
        (False, "11:59:58", "11:50:00", 1, REFUSED, "ProbeFailing"),
    ],
)
def test_a_probe_fails_when_an_ordinary_start_would_be_over(
    world: Any, of: Any, started: bool, at: str, unready: str, restarts: int, words: str, reason: str
) -> None:
    world.deployment(ready=0)
    runs = {"running": {"startedAt": f"2026-01-31T{at}Z"}}
    container = {"name": "backend", "started": started, "restartCount": restarts, "state": runs}
    since = {"type": "Ready", "status": "False", "lastTransitionTime": f"2026-01-31T{unready}Z"}
    world.pod(status={"conditions": [since], "containerStatuses": [container]})
    world.event("Pod", "cats-6d5f", "Unhealthy", words)
    assert of(world.status(), "Ready")["reason"] == reason
    (pod,) = world.facts().pods
    due = probe_due(pod, world.now)
    assert (due is not None) == (started and not restarts and reason == "Deploying")
    world.now += timedelta(seconds=due or 0)
    assert due is None or of(world.status(), "Ready")["reason"] == "ProbeFailing"


def test_an_event_about_an_earlier_pod_of_that_name_counts_for_nothing(world: Any, of: Any) -> None:
    world.deployment(ready=0)
    waiting = [{"name": "backend", "restartCount": 0, "state": {"waiting": {"reason": "ContainerCreating"}}}]
    world.pod(status={"phase": "Pending", "conditions": [], "containerStatuses": waiting})
    world.event("Pod", "cats-6d5f", "FailedMount", 'secret "gone" not found')
    world.events[0]["involvedObject"]["uid"] = "another"
    assert of(world.status(), "Ready")["reason"] == "Deploying"


def test_a_pod_of_a_corrected_spec_speaks_before_the_older_one(world: Any, of: Any) -> None:
    world.deployment(replicas=2, updated=1, ready=0)
    for name, when, reason in (
        ("a-old", "11:00:00", "InvalidImageName"),
        ("b-new", "11:55:00", "ErrImagePull"),
    ):
        waiting = {"reason": reason, "message": "i/o timeout"}
        world.pod(
            name,
            metadata={"creationTimestamp": f"2026-01-31T{when}Z"},
            status={
                "phase": "Pending",
                "conditions": [],
                "containerStatuses": [{"name": "serve", "restartCount": 0, "state": {"waiting": waiting}}],
            },
        )
    assert "pod b-new" in of(world.status(), "Ready")["message"]


def test_a_claim_of_redis_does_not_keep_the_backend_from_serving(world: Any, of: Any) -> None:
    world.deployment(ready=0)
    world.add("PersistentVolumeClaim", "cats-redis", "redis", status={"phase": "Lost"})
    assert of(world.status(), "Ready")["reason"] == "Deploying"


def test_a_claim_of_redis_without_a_class_names_the_field_that_gives_it_one(serving: Any, of: Any) -> None:
    serving.add("Deployment", "cats-redis", "redis", status={"observedGeneration": 1})
    serving.add("PersistentVolumeClaim", "cats-redis", "redis", status={"phase": "Pending"})
    words = "no persistent volumes available for this claim and no storage class is set"
    serving.event("PersistentVolumeClaim", "cats-redis", "FailedBinding", words)
    ready = of(serving.status(), "Ready")
    assert (ready["status"], ready["reason"]) == ("True", "RedisDown")
    assert "To do: set spec.redis.storageClassName, or make a StorageClass the default." in ready["message"]


def test_an_image_reads_the_same_while_it_is_tried_and_while_it_is_not(world: Any, of: Any) -> None:
    cause = "rpc error: code = NotFound desc = ghcr.io/x/serve:1: not found"
    world.deployment(ready=0)
    pod = world.pod(status={"phase": "Pending", "conditions": []})
    messages = set()
    for reason, message in (
        ("ErrImagePull", cause),
        ("ImagePullBackOff", f'Back-off pulling image "ghcr.io/x/serve:1": ErrImagePull: {cause}'),
    ):
        waiting = {"reason": reason, "message": message}
        pod["status"]["containerStatuses"] = [
            {"name": "serve", "restartCount": 0, "state": {"waiting": waiting}}
        ]
        messages.add(of(world.status(), "Ready")["message"])
    assert len(messages) == 1


def test_a_crash_loop_reads_the_same_between_its_starts(world: Any, of: Any) -> None:
    ended = {"terminated": {"exitCode": 1, "reason": "Error"}}
    world.deployment(ready=0)
    pod = world.pod(status={"conditions": []})
    found = []
    for state in ({"waiting": {"reason": "CrashLoopBackOff"}}, {"running": {}}, ended):
        pod["status"]["containerStatuses"] = [
            {"name": "serve", "restartCount": 4, "state": state, "lastState": ended}
        ]
        found.append(of(world.status(), "Stalled"))
    assert found[0] == found[1] == found[2] is not None
