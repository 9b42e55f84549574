"""What counts as drift: a field of ours that somebody changed, and nothing else."""

from typing import Any

import pytest

from lsb_operator.drift import HASH, covers, desired_hash, owned_fields, stamped, unchanged

DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "cats",
        "namespace": "studio",
        "labels": {"app": "cats"},
        "ownerReferences": [{"uid": "u1", "kind": "LabelStudioBackend", "name": "cats", "controller": True}],
    },
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "cats"}},
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "serve",
                        "image": "one",
                        "args": ["a", "b"],
                        "ports": [{"containerPort": 9090}],
                        "resources": {},
                    }
                ],
                "volumes": [{"name": "tmp", "emptyDir": {}}],
                "tolerations": [],
            }
        },
    },
}
# As a real API server keeps them for it, without the owner.
FIELDS: dict[str, Any] = {
    "f:metadata": {"f:annotations": {f"f:{HASH}": {}}, "f:labels": {"f:app": {}}},
    "f:spec": {
        "f:replicas": {},
        "f:selector": {},
        "f:template": {
            "f:spec": {
                "f:containers": {
                    'k:{"name":"serve"}': {
                        ".": {},
                        "f:name": {},
                        "f:image": {},
                        "f:args": {},
                        "f:ports": {
                            'k:{"containerPort":9090,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}
                        },
                    }
                },
                "f:volumes": {'k:{"name":"tmp"}': {".": {}, "f:emptyDir": {}, "f:name": {}}},
            }
        },
    },
}


def _metadata(**changes: Any) -> dict[str, Any]:
    return stamped(DEPLOYMENT)["metadata"] | changes


def _without(path: list[str]) -> dict[str, Any]:
    """FIELDS after somebody else has taken one of them."""

    def cut(node: dict[str, Any], rest: list[str]) -> dict[str, Any]:
        inner = cut(node[rest[0]], rest[1:]) if len(rest) > 1 else {}
        others = {key: value for key, value in node.items() if key != rest[0]}
        # The API server keeps no parent of nothing.
        return others | {rest[0]: inner} if inner else others

    return cut(FIELDS, path)


def test_what_was_applied_is_unchanged() -> None:
    assert unchanged(stamped(DEPLOYMENT), _metadata(), FIELDS)


def test_labels_and_annotations_of_others_change_nothing() -> None:
    labels = {"app": "cats", "team": "vision"}
    annotations = _metadata()["annotations"] | {"note": "hello"}
    assert unchanged(stamped(DEPLOYMENT), _metadata(labels=labels, annotations=annotations), FIELDS)


CONTAINER = ["f:spec", "f:template", "f:spec", "f:containers", 'k:{"name":"serve"}']


@pytest.mark.parametrize(
    "path",
    [
        ["f:spec", "f:replicas"],
        ["f:spec", "f:selector"],
        ["f:metadata", "f:labels", "f:app"],
        [*CONTAINER, "f:image"],
        [*CONTAINER, "f:args"],
        [*CONTAINER, "f:ports", 'k:{"containerPort":9090,"protocol":"TCP"}'],
        CONTAINER,
        ["f:spec", "f:template", "f:spec", "f:volumes", 'k:{"name":"tmp"}', "f:emptyDir"],
    ],
    ids="/".join,
)
def test_a_field_that_others_took_is_drift(path: list[str]) -> None:
    # An empty mapping of ours cannot be told from none: whoever fills it adds, and takes nothing.
    expected = path[-1] == "f:emptyDir"
    assert unchanged(stamped(DEPLOYMENT), _metadata(), _without(path)) is expected


def test_another_wish_is_a_change() -> None:
    wish = DEPLOYMENT | {"spec": DEPLOYMENT["spec"] | {"replicas": 2}}
    assert not unchanged(stamped(wish), _metadata(), FIELDS)


def test_a_digest_that_somebody_removed_is_drift() -> None:
    assert not unchanged(stamped(DEPLOYMENT), _metadata(annotations={}), FIELDS)


def test_an_owner_that_somebody_removed_is_drift() -> None:
    assert not unchanged(stamped(DEPLOYMENT), _metadata(ownerReferences=[]), FIELDS)


def test_sets_are_compared_by_value() -> None:
    assert covers({'v:"a"': {}, 'v:"b"': {}}, ["a", "b"])
    assert not covers({'v:"a"': {}}, ["a", "b"])


def test_fields_are_those_of_our_own_apply() -> None:
    entries = [
        {"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        {"manager": "lsb-operator", "operation": "Update", "fieldsV1": {"f:data": {}}},
        {
            "manager": "lsb-operator",
            "operation": "Apply",
            "subresource": "status",
            "fieldsV1": {"f:status": {}},
        },
        {"manager": "lsb-operator", "operation": "Apply", "fieldsV1": FIELDS},
    ]
    assert owned_fields({"managedFields": entries}) == FIELDS
    assert owned_fields({"managedFields": entries[:3]}) == {}
    assert owned_fields({}) == {}


def test_the_digest_does_not_depend_on_the_order_of_keys() -> None:
    turned = dict(reversed(DEPLOYMENT.items()))
    assert desired_hash(turned) == desired_hash(DEPLOYMENT)
    assert desired_hash(DEPLOYMENT | {"spec": {}}) != desired_hash(DEPLOYMENT)
