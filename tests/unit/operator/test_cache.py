"""The operator's memory: what belongs to whom, and what an answer of its own may overwrite."""

from typing import Any

import pytest

from lsb_operator.cache import REMEMBERED_SUBJECTS, Cache
from lsb_operator.observe import event_facts

CATS, DOGS = ("studio", "cats"), ("studio", "dogs")
UID = {"name": "cats", "uid": "u1", "kind": "LabelStudioBackend", "controller": True}


def _object(name: str, owner: str | None = "cats", version: int = 1, **more: Any) -> dict[str, Any]:
    labels = {"lsbackends.dev/backend": owner} if owner else {}
    metadata = {
        "name": name,
        "namespace": "studio",
        "labels": labels,
        "resourceVersion": str(version),
        "annotations": {"lsbackends.dev/applied-hash": "abc", "somebody/else": "long text"},
    }
    return {"metadata": metadata, **more}


@pytest.fixture
def cache() -> Cache:
    return Cache()


def test_every_event_names_the_backend_that_it_concerns(cache: Cache) -> None:
    training = {"metadata": {"name": "t", "namespace": "studio"}, "spec": {"backend": "dogs"}}
    assert cache.put("LabelStudioBackend", _object("cats", None)) == {CATS}
    assert cache.put("LabelStudioTraining", training) == {DOGS}
    assert cache.put("Service", _object("cats")) == {CATS}
    assert cache.put("Service", _object("other", None)) == set()
    assert cache.drop("Service", _object("cats")) == {CATS}
    assert cache.drop("Service", _object("cats")) == set()


def test_an_object_that_changes_hands_concerns_both(cache: Cache) -> None:
    cache.put("Service", _object("web", "cats"))
    assert cache.put("Service", _object("web", "dogs")) == {CATS, DOGS}
    assert cache.children(CATS) == {}
    assert list(cache.children(DOGS)) == [("Service", "web")]


def test_pods_and_trainings_are_no_children(cache: Cache) -> None:
    cache.put("Pod", _object("cats-1", spec={"containers": [{"image": "i", "env": []}]}))
    cache.put("LabelStudioTraining", {**_object("t"), "spec": {"backend": "cats"}})
    cache.put("Deployment", _object("cats"))
    assert list(cache.children(CATS)) == [("Deployment", "cats")]
    assert [pod["metadata"]["name"] for pod in cache.pods(CATS)] == ["cats-1"]
    assert [training["metadata"]["name"] for training in cache.trainings(CATS)] == ["t"]


def test_no_more_is_kept_than_is_used(cache: Cache) -> None:
    template = {"containers": [{"name": "c", "env": [{"name": "A", "value": "long"}]}]}
    cache.put(
        "Deployment", _object("cats", spec={"replicas": 2, "template": template}, status={"replicas": 1})
    )
    cache.put("ConfigMap", _object("cats-config", data={"backend.yaml": "long"}))
    cache.put("ConfigMap", _object("cats-model", data={"version": "1-abc"}))
    kept = {key[1]: entry.resource for key, entry in cache.children(CATS).items()}
    assert kept["cats"]["spec"] == {"replicas": 2}
    assert kept["cats"]["status"] == {"replicas": 1}
    assert kept["cats"]["metadata"]["annotations"] == {"lsbackends.dev/applied-hash": "abc"}
    assert "data" not in kept["cats-config"]
    assert kept["cats-model"]["data"] == {"version": "1-abc"}


def test_a_new_list_drops_what_went_while_nobody_watched(cache: Cache) -> None:
    cache.put("Service", _object("cats"))
    cache.put("Service", _object("cats-redis"))
    cache.put("ConfigMap", _object("cats"))
    assert cache.keep_only("Service", None, {("studio", "cats-redis")}) == {CATS}
    assert set(cache.children(CATS)) == {("Service", "cats-redis"), ("ConfigMap", "cats")}
    # A list of another namespace says nothing of this one.
    assert cache.keep_only("Service", "elsewhere", set()) == set()


def test_a_backend_that_is_gone_leaves_its_key_while_something_of_it_is_there(cache: Cache) -> None:
    cache.put("LabelStudioBackend", _object("cats", None))
    cache.put("Service", _object("cats"))
    cache.drop("LabelStudioBackend", _object("cats", None))
    assert cache.backend(CATS) is None
    assert cache.backends() == (CATS,)
    cache.drop("Service", _object("cats"))
    assert cache.backends() == ()


def test_an_answer_counts_until_the_watch_has_something_newer(cache: Cache) -> None:
    cache.remember("Service", _object("cats", version=5))
    assert list(cache.children(CATS)) == [("Service", "cats")]
    cache.put("Service", _object("cats", version=9, status={"newer": True}))
    cache.remember("Service", _object("cats", version=7))
    assert cache.children(CATS)[("Service", "cats")].resource["status"] == {"newer": True}


def test_an_answer_does_not_bring_back_what_the_watch_saw_deleted(cache: Cache) -> None:
    cache.drop("Service", _object("cats", version=9))
    cache.remember("Service", _object("cats", version=7))
    assert cache.children(CATS) == {}


def test_what_an_apply_brought_about_is_remembered_through_later_events(cache: Cache) -> None:
    ours = {"manager": "lsb-operator", "operation": "Apply", "fieldsV1": {"f:data": {"f:a": {}}}}
    answer = _object("cats", version=5)
    answer["metadata"]["managedFields"] = [ours]
    cache.remember("ConfigMap", answer)
    cache.put("ConfigMap", answer)
    entry = cache.children(CATS)[("ConfigMap", "cats")]
    assert entry.applied == entry.accepted
    assert entry.owned_fields["f:data"] == {"f:a": {}}
    taken = _object("cats", version=6)
    cache.put("ConfigMap", taken)
    entry = cache.children(CATS)[("ConfigMap", "cats")]
    assert entry.applied != entry.accepted


def _event(name: str, about: str, message: str = "no luck", count: int = 1) -> dict[str, Any]:
    subject = {"kind": "Pod", "namespace": "studio", "name": about}
    metadata = {"name": name, "namespace": "studio"}
    return {"metadata": metadata, "involvedObject": subject, "message": message, "count": count}


def test_an_event_concerns_the_backend_of_the_object_that_it_is_about(cache: Cache) -> None:
    cache.put("Pod", _object("cats-1"))
    assert cache.put("Event", _event("e", "cats-1")) == {CATS}
    assert [event["message"] for event in cache.events(CATS)] == ["no luck"]
    assert cache.drop("Event", _event("e", "cats-1")) == {CATS}
    assert cache.events(CATS) == []


def test_an_event_that_comes_before_its_object_is_not_lost(cache: Cache) -> None:
    assert cache.put("Event", _event("e", "cats-1")) == set()
    cache.put("Pod", _object("cats-1"))
    assert [event["message"] for event in cache.events(CATS)] == ["no luck"]


def test_an_event_that_only_counts_on_is_no_news(cache: Cache) -> None:
    cache.put("Pod", _object("cats-1"))
    cache.put("Event", _event("e", "cats-1"))
    assert cache.put("Event", _event("e", "cats-1", count=2)) == set()
    assert cache.put("Event", _event("e", "cats-1", "other words")) == {CATS}


def test_of_two_events_of_one_second_the_later_one_counts(cache: Cache) -> None:
    pod = _object("cats-1")
    cache.put("Pod", pod)
    for version, (name, message) in enumerate((("z", "earlier"), ("a", "later"), ("m", "latest")), start=9):
        event = _event(name, "cats-1", message)
        event["metadata"]["resourceVersion"] = str(version)
        cache.put("Event", event)
    facts = event_facts(cache.events(CATS), {"kind": "Pod", **pod})
    assert [fact.message for fact in facts] == ["latest", "later", "earlier"]


def test_events_of_others_do_not_fill_the_memory(cache: Cache) -> None:
    for number in range(REMEMBERED_SUBJECTS + 10):
        cache.put("Event", _event("e", f"other-{number}"))
    cache.put("Pod", _object("other-0"))
    cache.put("Pod", _object(f"other-{REMEMBERED_SUBJECTS}"))
    assert len(cache.events(CATS)) == 1
