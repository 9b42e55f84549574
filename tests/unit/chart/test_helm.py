"""Which installed Helm is taken."""

import subprocess
from pathlib import Path

import pytest
from cluster.progress import Progress
from helm.source import HELM, MODULE, OLDEST, OLDEST_HELM, OLDEST_MODULE, find_helm, fits


@pytest.mark.parametrize("said", ["v3.14.0+g3fc9f4b", "v3.22.0", "v4.3.1+gdeadbee"])
def test_one_that_is_new_enough_fits(said: str) -> None:
    assert fits(said)


@pytest.mark.parametrize("said", ["v3.9.4", "v2.17.0", "Client: v2.17.0", ""])
def test_an_old_one_and_one_that_says_nothing_do_not(said: str) -> None:
    assert not fits(said)


def test_an_installed_one_that_fits_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "helm"
    installed.write_text("#!/bin/sh\necho v3.19.0+g3d8990f\n")
    installed.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert subprocess.run(["helm"], capture_output=True, text=True).stdout.startswith("v3.19")
    assert find_helm(Progress()) == installed


def test_the_module_pins_the_version_that_is_built() -> None:
    assert HELM.version(MODULE)[0] == "4"


def test_the_oldest_one_that_is_tried_is_the_oldest_that_fits() -> None:
    major, minor, _ = OLDEST_HELM.version(OLDEST_MODULE)
    assert (int(major), int(minor)) == OLDEST
