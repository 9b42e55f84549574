"""Who tracks a resource: Argo CD's own marks count, look-alikes do not."""

import json
from typing import Any

import pytest

from lsb_cli.cluster.argocd import application, in_git, may_edit
from lsb_crds.errors import UserError

ITSELF = "studio:lsbackends.dev/LabelStudioBackend:models/cats"
ANNOTATION = "argocd.argoproj.io/tracking-id"
LABEL = "app.kubernetes.io/instance"


def resource(
    annotations: dict[str, str] | None = None, labels: dict[str, str] | None = None, manager: str = "kubectl"
) -> dict[str, Any]:
    """A backend that was written by `manager`."""
    about = {"name": "cats", "namespace": "models", "managedFields": [{"manager": manager}]}
    about |= {"annotations": annotations} if annotations else {}
    about |= {"labels": labels} if labels else {}
    return {"kind": "LabelStudioBackend", "metadata": about}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (resource(), None),
        (resource({ANNOTATION: ITSELF}), "studio"),
        (resource({ANNOTATION: f"team-a_{ITSELF}"}), "team-a_studio"),
        # Copied from another object, which Argo CD passes over too.
        (resource({ANNOTATION: "studio:apps/Deployment:models/cats"}), None),
        (resource({ANNOTATION: "studio:lsbackends.dev/LabelStudioBackend:models/dogs"}), None),
        (resource({ANNOTATION: ""}), None),
        (resource({ANNOTATION: "studio"}), None),
        # Helm, people and this operator use this label too.
        (resource(labels={LABEL: "studio"}), None),
        (resource(labels={LABEL: "studio"}, manager="helm"), None),
        (resource(labels={LABEL: "studio"}, manager="argocd-controller"), "studio"),
        (resource(labels={"argocd.argoproj.io/instance": "studio"}), "studio"),
        (resource(labels={"app.kubernetes.io/name": "x"}, manager="argocd-controller"), None),
    ],
)
def test_tracked_by(found: dict[str, Any], expected: str | None) -> None:
    assert application(found) == expected


PINNED = {"spec": {"model": {"version": "3-0a1b2c3d"}}}


@pytest.mark.parametrize(
    ("applied", "expected"),
    [(PINNED, True), ({"spec": {"model": {}}}, False), ({"spec": {"model": None}}, False)],
)
def test_git_sets_what_was_applied_last(applied: dict[str, Any], expected: bool) -> None:
    found = resource({"kubectl.kubernetes.io/last-applied-configuration": json.dumps(applied)})
    assert in_git(found, ["spec", "model", "version"]) is expected


@pytest.mark.parametrize(
    ("field", "operation", "expected"),
    [
        ("f:version", "Apply", True),
        ("f:weights", "Apply", False),
        # A client that does not apply owns the defaults too: what Git says cannot be told from it.
        ("f:weights", "Update", True),
    ],
)
def test_git_sets_what_argocd_owns_by_apply(field: str, operation: str, expected: bool) -> None:
    found = resource(manager="argocd-controller")
    (entry,) = found["metadata"]["managedFields"]
    entry |= {"operation": operation, "fieldsV1": {"f:spec": {"f:model": {field: {}}}}}
    assert in_git(found, ["spec", "model", "version"]) is expected


def test_what_git_leaves_out_may_be_edited_and_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    last = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    may_edit(resource({ANNOTATION: ITSELF, **last}), "spec.suspend", force=False)
    assert "stays as long as Git leaves spec.suspend out" in capsys.readouterr().err


def test_an_edit_that_git_would_undo_is_refused_with_the_way_out() -> None:
    with pytest.raises(UserError, match=r"application studio.*spec\.suspend in Git.*--force"):
        may_edit(resource({ANNOTATION: ITSELF}), "spec.suspend", force=False)


def test_forced_it_is_only_said(capsys: pytest.CaptureFixture[str]) -> None:
    may_edit(resource({ANNOTATION: ITSELF}), "spec.suspend", force=True)
    assert "undo this with its next sync" in capsys.readouterr().err


def test_nothing_is_said_of_what_nobody_tracks(capsys: pytest.CaptureFixture[str]) -> None:
    may_edit(resource(), "spec.suspend", force=False)
    assert capsys.readouterr().err == ""
