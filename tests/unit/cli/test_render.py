"""`lsb render`: what would be applied, without a cluster."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def rendered(lsb: Run, manifest: Path) -> Callable[..., dict[tuple[str, str], dict[str, Any]]]:
    """The objects by kind and name; kubectl that finds no cluster could not have helped."""

    def render() -> dict[tuple[str, str], dict[str, Any]]:
        done = lsb("render", "-f", str(manifest), KUBECONFIG="/nonexistent")
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        objects = list(yaml.safe_load_all(done.stdout))
        return {(one["kind"], one["metadata"]["name"]): one for one in objects}

    return render


def test_it_prints_every_child(rendered: Callable[..., dict[tuple[str, str], dict[str, Any]]]) -> None:
    objects = rendered()
    assert {kind for kind, _ in objects} == {
        "ConfigMap",
        "Deployment",
        "PersistentVolumeClaim",
        "RoleBinding",
        "Secret",
        "Service",
        "ServiceAccount",
    }
    assert all(one["metadata"]["namespace"] == "default" for one in objects.values())
    assert all("ownerReferences" not in one["metadata"] for one in objects.values())


def test_pods_are_there_with_a_version(
    manifest: Path, rendered: Callable[..., dict[tuple[str, str], dict[str, Any]]]
) -> None:
    assert rendered()["Deployment", "cats"]["spec"]["replicas"] == 0
    manifest.write_text(manifest.read_text().replace("task: dummy", "task: dummy, version: 3-0a1b2c3d"))
    deployment = rendered()["Deployment", "cats"]
    assert deployment["spec"]["replicas"] == 1
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    assert annotations["lsbackends.dev/version"] == "3-0a1b2c3d"


def test_a_password_is_a_placeholder_with_the_name_of_its_secret(
    rendered: Callable[..., dict[tuple[str, str], dict[str, Any]]],
) -> None:
    secret = rendered()["Secret", "cats-basic-auth"]
    assert secret["stringData"] == {"credentials": "lsbackends:<password of cats-basic-auth>"}


def test_it_prints_the_same_every_time(lsb: Run, manifest: Path) -> None:
    first, second = (lsb("render", "-f", str(manifest)).stdout for _ in range(2))
    assert first == second


def test_an_error_is_one_line(lsb: Run, manifest: Path) -> None:
    manifest.write_text(manifest.read_text().replace("task:", "tsak:"))
    done = lsb("render", "-f", str(manifest))
    assert (done.returncode, done.stdout) == (1, "")
    assert "tsak" in done.stderr
    assert done.stderr.count("\n") == 1
