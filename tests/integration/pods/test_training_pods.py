"""The pods of trainings: progress and result reach the resource and the operator, whatever is in between."""

import json
import signal
from collections.abc import Callable
from typing import Any

from label_studio import free_port
from operating import eventually
from pods import Pods

from lsb_backend.store.promotion import Verdict
from lsb_backend.store.store import Store
from lsb_operator.results import read_result

PATIENCE = 600.0


def status(pods: Pods, training: str) -> dict[str, Any]:
    return dict(pods.studio.get("LabelStudioTraining", training).get("status") or {})


def managers(pods: Pods, training: str) -> dict[str, list[str]]:
    """What of the status each manager owns."""
    fields = pods.studio.get("LabelStudioTraining", training)["metadata"]["managedFields"]
    owned = [(one["manager"], one["fieldsV1"].get("f:status", {})) for one in fields]
    return {manager: sorted(part) for manager, part in owned if part}


def test_the_first_version_is_made_and_told_to_the_operator(
    empty: Pods, spec_of: Callable[..., dict[str, Any]]
) -> None:
    empty.apply(**spec_of())
    empty.ask("cats-prepare-abc", reason="Prepare")
    first = empty.train("cats-prepare-abc")
    assert first.wait() == 0, first.log
    result = read_result(first.message)
    assert result is not None
    assert result.outcome == "Prepared"
    assert status(empty, "cats-prepare-abc")["result"]["version"] == result.version
    assert managers(empty, "cats-prepare-abc") == {"lsb-trainer": ["f:result"]}
    # Another pod of the Job, after the first one's word was lost.
    again = empty.train("cats-prepare-abc")
    assert again.wait() == 0, again.log
    assert read_result(again.message) == result
    assert len(Store.open(empty.store).versions()) == 1


def test_an_api_server_that_is_away_takes_nothing_from_a_training(
    pods: Pods, spec_of: Callable[..., dict[str, Any]]
) -> None:
    pods.apply(**spec_of())
    pods.ask("cats-prepare-abc", reason="Prepare")
    pod = pods.train("cats-prepare-abc", KUBERNETES_SERVICE_PORT=str(free_port()))
    assert pod.wait() == 0, pod.log
    assert read_result(pod.message) is not None
    assert "the training goes on" in pod.log
    assert status(pods, "cats-prepare-abc") == {}


def test_a_training_that_is_evicted_goes_on_elsewhere_and_reports_all_the_way(
    pods: Pods,
    spec_of: Callable[..., dict[str, Any]],
    annotated: Callable[[int], int],
    label_studio: Any,
) -> None:
    project = annotated(8)
    pods.token = label_studio.token
    pods.apply(**spec_of(label_studio.url, labelStudio={"url": label_studio.url, "projects": [project]}))
    store = Store.open(pods.store)
    target = store.promotion().promoted
    # What the training asks for wins over the backend's two.
    pods.ask("cats-after-0", reason="Annotations", epochs=3)
    uid = pods.studio.get("LabelStudioTraining", "cats-after-0")["metadata"]["uid"]

    pod = pods.train("cats-after-0", target)
    eventually(
        lambda: (
            status(pods, "cats-after-0").get("progress", {}).get("epoch") or pod.process.poll() is not None
        ),
        "an epoch is told",
        PATIENCE,
    )
    assert pod.end(signal.SIGTERM) == 143, pod.log
    assert pod.message == ""
    told = status(pods, "cats-after-0")
    assert told["progress"]["epochs"] == 3
    assert "result" not in told

    again = pods.train("cats-after-0", target)
    assert again.wait() == 0, again.log
    assert [path.name for path in store.runs.iterdir()] == [f"cats-after-0-{uid[:8]}"]
    events = [json.loads(line) for line in again.log.splitlines() if line.startswith("{")]
    epochs = [event["epoch"] for event in events if event["event"] == "epoch"]
    assert epochs == list(range(told["progress"]["epoch"] + 1, 4))
    result = read_result(again.message)
    assert result is not None
    told = status(pods, "cats-after-0")
    assert told["progress"]["epoch"] == 3
    assert told["result"]["version"] == result.version
    assert told["result"]["outcome"] == result.outcome
    assert managers(pods, "cats-after-0") == {"lsb-trainer": ["f:progress", "f:result"]}
    assert store.card(str(result.version)).run == f"cats-after-0-{uid[:8]}"

    third = pods.train("cats-after-0", target)
    assert third.wait() == 0, third.log
    assert read_result(third.message) == result
    assert len(store.versions()) == 2


def test_too_few_annotations_end_it_for_good_unless_it_is_forced(
    pods: Pods,
    spec_of: Callable[..., dict[str, Any]],
    annotated: Callable[[int], int],
    label_studio: Any,
) -> None:
    project = annotated(2)
    pods.token = label_studio.token
    pods.apply(**spec_of(label_studio.url, labelStudio={"url": label_studio.url, "projects": [project]}))
    target = Store.open(pods.store).promotion().promoted
    pods.ask("asked", reason="Manual")
    pod = pods.train("asked", target)
    assert pod.wait() == 42, pod.log
    # No result: the reason that the operator gives for this exit code says more.
    assert read_result(pod.message) is None
    assert "minimumAnnotations asks for 4" in pod.message
    pods.ask("forced", reason="Manual", force=True, epochs=1)
    forced = pods.train("forced", target)
    assert forced.wait() == 0, forced.log
    assert read_result(forced.message) is not None


def test_training_pods_may_write_the_status_of_trainings_and_nothing_else(
    pods: Pods, spec_of: Callable[..., dict[str, Any]]
) -> None:
    pods.apply(**spec_of())
    namespace = pods.studio.name
    for account, expected in (
        ("cats-train", {"labelstudiotrainings.lsbackends.dev/status [patch]"}),
        ("cats-serve", {"labelstudiotrainings.lsbackends.dev [list create]"}),
    ):
        listed = pods.studio.kubectl(
            "auth", "can-i", "--list", f"--as=system:serviceaccount:{namespace}:{account}"
        )
        ours = {line.split()[0] + " " + line[line.rindex("[") :] for line in listed.splitlines()[1:]}
        assert {one for one in ours if "lsbackends" in one} == expected
        assert not any(one.startswith(("secrets", "pods", "configmaps", "*")) for one in ours)


def test_what_was_decided_in_the_cluster_is_in_the_store_before_a_version_is_named(
    pods: Pods, spec_of: Callable[..., dict[str, Any]]
) -> None:
    store = Store.open(pods.store)
    approved, broken = (_add(store, name) for name in (b"approved", b"broken"))
    store.await_approval(approved)
    store.promote(broken)
    pods.apply(**spec_of())
    # Another life of the backend: all that is left of the one before is the volume.
    pods.ask("cats-prepare-abc", reason="Prepare")
    told = json.dumps({"promoted": approved, "rolledBack": [broken]})
    pod = pods.train("cats-prepare-abc", decisions=told)
    assert pod.wait() == 0, pod.log
    result = read_result(pod.message)
    assert result is not None
    assert result.version == approved
    assert store.promotion().promoted == approved
    assert store.promotion().verdict(broken) is Verdict.ROLLED_BACK


def _add(store: Store, content: bytes) -> str:
    from lsb_backend.store.card import CardDraft

    with store.staging() as staging:
        (staging / "weights.pt").write_bytes(content)
        (staging / "model.onnx").write_bytes(content)
        draft = CardDraft(task="detect", classes=["square"], trained=True)
        return store.commit(staging, draft).version
