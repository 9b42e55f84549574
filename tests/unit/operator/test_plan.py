"""What is written: nothing without need, nothing that belongs to others."""

from typing import Any

import pytest

from lsb_operator.cache import Cache
from lsb_operator.children.secrets import NewSecret
from lsb_operator.drift import stamped
from lsb_operator.entry import Entry
from lsb_operator.facts import Key
from lsb_operator.plan import BEING_DELETED, Plan, plan

BACKEND: dict[str, Any] = {
    "apiVersion": "lsbackends.dev/v1alpha1",
    "kind": "LabelStudioBackend",
    "metadata": {"name": "cats", "namespace": "studio", "uid": "u1"},
}
OWNER = {"kind": "LabelStudioBackend", "name": "cats", "uid": "u1", "controller": True}
LABELS = {"lsbackends.dev/backend": "cats", "app.kubernetes.io/component": "serve"}


def _wanted(kind: str, name: str = "cats", **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "studio", "labels": LABELS, "ownerReferences": [OWNER]}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def _fields(value: Any) -> Any:
    """fieldsV1 of plain data without lists."""
    return {f"f:{key}": _fields(inner) for key, inner in value.items()} if isinstance(value, dict) else {}


def _there(manifest: dict[str, Any], **metadata: Any) -> dict[Key, Entry]:
    """What is in the cache after `manifest` was applied, with another `metadata`."""
    applied = stamped(manifest)
    ours = {key: applied[key] for key in applied if key not in ("apiVersion", "kind")}
    ours["metadata"] = {key: applied["metadata"][key] for key in ("labels", "annotations")}
    entry = {"manager": "lsb-operator", "operation": "Apply", "fieldsV1": _fields(ours)}
    found = applied | {"metadata": applied["metadata"] | {"managedFields": [entry]} | metadata}
    cache = Cache()
    cache.put(manifest["kind"], found)
    return cache.children(("studio", "cats"))


def _plan(desired: list[dict[str, Any]], there: dict[Key, Entry]) -> Plan:
    return plan(desired, [], there, BACKEND)


def test_what_is_missing_is_made() -> None:
    made = _plan([_wanted("Service")], {})
    assert made.make == (stamped(_wanted("Service")),)


def test_what_is_as_wanted_costs_nothing() -> None:
    wanted = _wanted("Service", spec={"type": "ClusterIP"})
    assert _plan([wanted], _there(wanted)) == Plan()


def test_another_wish_changes_it() -> None:
    old, new = (_wanted("Service", spec={"type": kind}) for kind in ("ClusterIP", "NodePort"))
    assert _plan([new], _there(old)).change == (stamped(new),)


def test_a_lost_field_is_applied_again_but_not_one_that_no_apply_brings_about() -> None:
    wanted = _wanted("Service", spec={"type": "ClusterIP"})
    [(key, entry)] = _there(wanted).items()
    lost = Entry(entry.resource, entry.fields.replace('"f:spec":{"f:type":{}}', '"f:spec":{"f:ports":{}}'))
    assert _plan([wanted], {key: lost}).change == (stamped(wanted),)
    hopeless = Entry(lost.resource, lost.fields, accepted=lost.applied)
    assert _plan([wanted], {key: hopeless}) == Plan()


@pytest.mark.parametrize(
    "owners",
    [
        [{"kind": "Deployment", "name": "web", "uid": "u9", "controller": True}],
        [{"kind": "LabelStudioBackend", "name": "dogs", "uid": "u8", "controller": True}],
    ],
)
def test_others_objects_are_refused_and_never_written(owners: list[dict[str, Any]]) -> None:
    found = _plan([_wanted("Service")], _there(_wanted("Service"), ownerReferences=owners))
    assert found == Plan(refused=("Service cats",))


def test_what_a_former_backend_of_this_name_left_is_waited_for() -> None:
    former = _there(_wanted("Service"), ownerReferences=[OWNER | {"uid": "u0"}])
    going = _there(_wanted("Service"), deletionTimestamp="2026-01-01T00:00:00Z")
    for there in (former, going):
        assert _plan([_wanted("Service")], there) == Plan(waiting={("Service", "cats"): BEING_DELETED})


def test_a_retained_volume_without_owner_is_ours_again() -> None:
    claim = _wanted("PersistentVolumeClaim", spec={"resources": {"requests": {"storage": "1Gi"}}})
    claim["metadata"].pop("ownerReferences")
    assert _plan([claim], _there(claim)) == Plan()


def test_only_what_this_backend_owns_is_deleted() -> None:
    ours, others = _there(_wanted("Ingress")), [OWNER | {"uid": "u0"}]
    assert [one["kind"] for one in _plan([], ours).delete] == ["Ingress"]
    assert _plan([], _there(_wanted("Ingress"), ownerReferences=others)) == Plan()
    assert _plan([], _there(_wanted("Ingress"), ownerReferences=[])) == Plan()


@pytest.mark.parametrize("kind", ["PersistentVolumeClaim", "Job"])
def test_data_and_history_are_never_deleted(kind: str) -> None:
    assert _plan([], _there(_wanted(kind))) == Plan()


def _secret(component: str = "serve") -> NewSecret:
    labels = LABELS | {"app.kubernetes.io/component": component}
    metadata = {"name": f"cats-{component}", "namespace": "studio", "labels": labels}
    return NewSecret({"apiVersion": "v1", "kind": "Secret", "metadata": metadata}, {"a": "{password}"})


def test_a_secret_is_made_before_its_workload_is_there_and_when_a_pod_misses_it() -> None:
    serve, redis = _secret(), _secret("redis")
    deployment = _there(_wanted("Deployment"))
    assert plan([], [serve], {}, BACKEND).secrets == (serve,)
    assert plan([_wanted("Deployment")], [serve], deployment, BACKEND).secrets == ()
    # Redis was switched on later.
    assert plan([_wanted("Deployment")], [serve, redis], deployment, BACKEND).secrets == (redis,)
    missing = ["Secret studio/cats-serve key credentials"]
    assert plan([_wanted("Deployment")], [serve], deployment, BACKEND, missing).secrets == (serve,)
