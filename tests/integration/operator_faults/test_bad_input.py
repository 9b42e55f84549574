"""What people get wrong, through a real API server: it is said, nothing is lost, a correction is enough."""

import json
from typing import Any

import pytest
from cluster.api import RefusedError
from faults.kubelet import FIRST, PINNED
from faults.life import SPEC, ask_for_training, offer_volume, serves, wait_for
from faults.state import jobs_made
from operating import Studio

TOKEN = {"tokenSecretRef": {"name": "label-studio", "key": "token"}}


def training(studio: Studio, name: str) -> dict[str, Any]:
    """The status of a training."""
    found = studio.get("LabelStudioTraining", name)
    return (found or {}).get("status") or {}


def reason(studio: Studio, name: str) -> str:
    conditions = training(studio, name).get("conditions") or [{}]
    return next((one["reason"] for one in conditions if one.get("type") == "Succeeded"), "")


def apply(studio: Studio, name: str = "cats", **more: Any) -> None:
    """A backend as in an ordinary life, not registered."""
    studio.apply(name, **{"labelStudio": {"url": SPEC["labelStudio"]["url"]}, **more})


def put_secret(studio: Studio, key: str, value: str) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "label-studio"},
        "stringData": {key: value},
    }
    studio.kubectl("apply", "--filename=-", input=json.dumps(secret))


def test_a_secret_that_is_missing_lacks_a_key_appears_and_changes(studio: Studio) -> None:
    apply(studio, labelStudio={"url": "http://label-studio:8080", **TOKEN})

    def said(words: str) -> bool:
        ready = studio.condition("Ready")
        return ready.get("reason") == "ReferenceMissing" and words in ready["message"]

    wait_for(lambda: said(f"Secret {studio.name}/label-studio does not exist"), "the Secret is missed")
    put_secret(studio, "tocken", "x")
    wait_for(lambda: said(f"Secret {studio.name}/label-studio has no key token"), "the key is missed")
    put_secret(studio, "token", "x")
    serves(studio, FIRST)
    pods, writes = studio.names("Pod"), studio.writes()
    put_secret(studio, "token", "y")
    # Mounted files follow by themselves: whatever the operator does next is about something else.
    studio.patch("lsb", "cats", {"spec": {"training": {"epochs": 7}}}, "--type=merge")
    wait_for(lambda: studio.status()["observedGeneration"] == 2, "the next change is done")
    assert studio.names("Pod") == pods
    assert "patch deployments/cats" not in studio.writes()[len(writes) :]


def test_a_storage_class_that_does_not_exist_is_named(studio: Studio) -> None:
    # Not `cats`, for whose claim there is a volume.
    apply(studio, "dogs", storage={"storageClassName": "fast"})

    def said() -> bool:
        ready = studio.condition("Ready", "dogs")
        return ready.get("status") == "False" and "fast" in ready["message"]

    wait_for(said, "the StorageClass is missed")
    assert studio.condition("Stalled", "dogs")["reason"] == "VolumePending"


def test_an_existing_claim_that_is_missing_is_named_and_found_when_it_is_made(studio: Studio) -> None:
    apply(studio, storage={"existingClaim": "mine"})
    wait_for(lambda: studio.condition("Ready").get("reason") == "ReferenceMissing", "it is missed")
    assert "PersistentVolumeClaim" in studio.condition("Ready")["message"]
    assert "mine does not exist" in studio.condition("Ready")["message"]
    offer_volume(studio, "mine")
    body = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "mine"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    studio.kubectl("create", "--filename=-", input=json.dumps(body))
    serves(studio, FIRST)


def test_a_training_without_a_backend_says_so_and_begins_when_there_is_one(studio: Studio) -> None:
    ask_for_training(studio, "early", reason="Manual")
    wait_for(lambda: reason(studio, "early") == "BackendNotFound", "it waits for its backend")
    assert "cats" in training(studio, "early")["message"]
    apply(studio)
    wait_for(lambda: training(studio, "early").get("phase") == "Rejected", "it has been done")


def test_a_training_of_a_backend_that_is_being_deleted_ends(studio: Studio) -> None:
    apply(studio)
    serves(studio, FIRST)
    studio.patch("lsb", "cats", {"metadata": {"finalizers": ["example.org/held"]}}, "--type=merge")
    studio.kubectl("delete", "lsb", "cats", "--wait=false")
    ask_for_training(studio, "late", reason="Manual")
    wait_for(lambda: reason(studio, "late") == "BackendDeleted", "it is told")
    assert training(studio, "late")["phase"] == "Failed"
    assert "late-train" not in jobs_made(studio)
    studio.patch("lsb", "cats", {"metadata": {"finalizers": None}}, "--type=merge")
    wait_for(lambda: studio.get("LabelStudioBackend", "cats") is None, "the backend goes")


def test_a_job_deleted_by_hand_is_made_again_up_to_the_limit(studio: Studio) -> None:
    apply(studio, training={"backoffLimit": 1})
    serves(studio, FIRST)
    ask_for_training(studio, "it-holds", reason="Manual")
    for attempt in (1, 2):
        wait_for(lambda: training(studio, "it-holds").get("attempts") == attempt, "its Job is made")  # noqa: B023
        wait_for(lambda: training(studio, "it-holds")["phase"] == "Running", "it runs")
        studio.kubectl("delete", "job", "it-holds-train", "--wait=false")
    wait_for(lambda: training(studio, "it-holds")["phase"] == "Failed", "it is given up")
    assert reason(studio, "it-holds") == "JobDeleted"
    assert jobs_made(studio)["it-holds-train"] == 2
    assert studio.condition("Ready")["status"] == "True"


@pytest.mark.parametrize("name", ["says-nothing", "is-cut-off", "babbles"])
def test_a_termination_message_that_cannot_be_read_fails_the_training_and_no_more(
    studio: Studio, name: str
) -> None:
    apply(studio, training={"backoffLimit": 0})
    serves(studio, FIRST)
    ask_for_training(studio, name, reason="Manual")
    wait_for(lambda: training(studio, name).get("phase") == "Failed", "it is given up")
    assert reason(studio, name) == "ResultUnreadable"
    serves(studio, FIRST)
    ask_for_training(studio, "next", reason="Manual")
    wait_for(lambda: training(studio, "next").get("phase") == "Rejected", "the next one is done")


@pytest.mark.parametrize(
    ("name", "why", "words", "tries"),
    [
        ("it-has-bad-data", "BadData", "class dog has no box", 1),
        ("it-breaks", "BackoffLimitExceeded", "CUDA out of memory", 2),
    ],
)
def test_bad_data_is_not_tried_again_and_what_may_pass_is(
    studio: Studio, name: str, why: str, words: str, tries: int
) -> None:
    apply(studio, training={"backoffLimit": 1})
    serves(studio, FIRST)
    ask_for_training(studio, name, reason="Manual")
    wait_for(lambda: training(studio, name).get("phase") == "Failed", "it has failed")
    assert (reason(studio, name), jobs_made(studio)[f"{name}-train"]) == (why, 1)
    assert words in training(studio, name)["message"]
    assert studio.get("Job", f"{name}-train")["status"]["failed"] == tries
    wait_for(lambda: studio.condition("TrainingSucceeded").get("status") == "False", "the backend tells it")
    # The old weights serve all the same.
    assert studio.condition("Ready")["status"] == "True"


def test_a_pinned_version_that_is_not_in_the_store_is_reported_and_the_old_one_serves(studio: Studio) -> None:
    apply(studio)
    serves(studio, FIRST)
    studio.patch("lsb", "cats", {"spec": {"model": {"version": PINNED}}}, "--type=merge")
    wait_for(lambda: studio.condition("RolledBack"), "it is given up")
    assert f"version {PINNED} is not in the store" in studio.condition("RolledBack")["message"]
    serves(studio, FIRST)
    studio.patch("lsb", "cats", {"spec": {"model": {"version": None}}}, "--type=merge")
    wait_for(lambda: not studio.condition("RolledBack"), "taken back, it is forgotten")


def test_two_backends_on_one_ingress_path_the_second_is_told(studio: Studio) -> None:
    _guard_paths(studio)
    for name in ("cats", "dogs"):
        apply(studio, name, ingress={"host": "ml.example.org", "path": "/cats"})
    wait_for(lambda: studio.get("Ingress", "cats"), "the first one has its Ingress")
    wait_for(lambda: "already defined" in studio.condition("Ready", "dogs").get("message", ""), "it is told")
    assert "give spec.ingress a host or path of its own" in studio.condition("Ready", "dogs")["message"]
    assert studio.get("Service", "dogs") is not None
    studio.patch("lsb", "dogs", {"spec": {"ingress": {"path": "/dogs"}}}, "--type=merge")
    wait_for(lambda: studio.get("Ingress", "dogs"), "corrected, it has one too")


def test_names_at_the_limit_live_like_others(studio: Studio) -> None:
    name = "c" * 40
    offer_volume(studio, f"{name}-weights")
    studio.apply(name, **SPEC, redis={"mode": "Managed"}, ingress={"host": "ml.example.org"})
    offer_volume(studio, f"{name}-redis")
    serves(studio, FIRST, name)
    longest = f"{name}-after-99999"
    ask_for_training(studio, longest, name)
    wait_for(lambda: training(studio, longest).get("phase") == "Rejected", "it has been done")
    wait_for(lambda: studio.condition("Registered", name).get("status") == "True", "it is registered")
    studio.kubectl("delete", "lsb", name, "--wait=false")
    wait_for(lambda: studio.get("LabelStudioBackend", name) is None, "it goes")


def test_fifty_trainings_at_once_all_end_and_none_runs_twice(studio: Studio) -> None:
    apply(studio)
    serves(studio, FIRST)
    names = [f"many-{number}" for number in range(50)]
    for number, name in enumerate(names):
        ask_for_training(studio, name, reason="Manual" if number % 2 else "Button")
    ended = ("Rejected", "Failed", "Superseded")
    wait_for(lambda: all(training(studio, name).get("phase") in ended for name in names), "all have ended")
    done = [name for name in names if training(studio, name)["phase"] == "Rejected"]
    made = {name for name in jobs_made(studio) if name.startswith("many-")}
    assert made == {f"{name}-train" for name in done}
    assert set(jobs_made(studio).values()) == {1}
    assert {reason(studio, name) for name in set(names) - set(done)} <= {"Superseded", "QueueFull"}


def _guard_paths(studio: Studio) -> None:
    """A stand-in for the admission webhook of an Ingress controller, for this namespace."""
    words = '\'host "ml.example.org" and path "/cats" is already defined in ingress cats\''
    name = f"{studio.name}-paths"
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": ["networking.k8s.io"],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["ingresses"],
                    }
                ],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": studio.name}},
            },
            "validations": [
                {
                    "expression": "object.metadata.name == 'cats' || "
                    "object.spec.rules.all(rule, rule.http.paths.all(one, !one.path.startsWith('/cats')))",
                    "messageExpression": words,
                }
            ],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    for one in (policy, binding):
        studio.kubectl("apply", "--filename=-", input=json.dumps(one))
    wait_for(lambda: _is_refused(studio), "the stand-in judges")


def _is_refused(studio: Studio) -> bool:
    path = {
        "path": "/cats",
        "pathType": "Prefix",
        "backend": {"service": {"name": "x", "port": {"number": 80}}},
    }
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "probe"},
        "spec": {"rules": [{"host": "ml.example.org", "http": {"paths": [path]}}]},
    }
    try:
        studio.api.create(studio.path("Ingress"), ingress, dryRun="All")
    except RefusedError as error:
        return "already defined" in str(error)
    return False
