"""compose.yaml, as the Compose specification's own program reads it."""

import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from compose_file import CHECKOUT, ComposeError, load
from typer.main import get_command

from lsb_cli.main import app
from lsb_crds.manifest import load_backend
from lsb_crds.release import release
from lsb_crds.resolve import REDIS_IMAGE, REGISTRY

PLAIN, GPU = ("compose.yaml",), ("compose.yaml", "compose.gpu.yaml")

MANIFEST = "/etc/lsbackends/backend.yaml"


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    return load(PLAIN)


@pytest.fixture(scope="module")
def gpu() -> dict[str, Any]:
    return load(GPU)


def manifest(project: dict[str, Any]) -> Path:
    """The file that the backend reads as its manifest."""
    [volume] = [one for one in project["services"]["backend"]["volumes"] if one["target"] == MANIFEST]
    return Path(volume["source"])


def made_secrets(checkout: Path) -> Path:
    """The folder that the script makes in a checkout."""
    script = checkout / "examples/compose/secrets.sh"
    script.parent.mkdir(parents=True)
    shutil.copy(CHECKOUT / "examples/compose/secrets.sh", script)
    subprocess.run(["sh", script], check=True, capture_output=True)
    return checkout / "secrets"


def test_what_the_specification_does_not_know_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("services: {backend: {image: a, imagee: b}}")
    with pytest.raises(ComposeError, match="imagee"):
        load((str(file),))


def test_every_service_that_stays_says_how_it_is(plain: dict[str, Any]) -> None:
    assert set(plain["services"]) == {"label-studio", "volumes", "backend", "redis"}
    for name in ("label-studio", "backend", "redis"):
        assert plain["services"][name]["healthcheck"]["test"]
        assert plain["services"][name]["restart"] == "unless-stopped"


def test_the_images_are_those_of_this_release(plain: dict[str, Any]) -> None:
    assert plain["services"]["backend"]["image"] == f"{REGISTRY}/backend-train:{release()}"
    assert plain["services"]["redis"]["image"] == REDIS_IMAGE


def test_the_command_line_is_one_that_lsb_knows(plain: dict[str, Any]) -> None:
    command, *options = plain["services"]["backend"]["command"]
    known = {name for parameter in get_command(app).commands[command].params for name in parameter.opts}
    assert {option.partition("=")[0] for option in options} <= known


@pytest.mark.parametrize("files", [PLAIN, GPU], ids=["plain", "gpu"])
def test_label_studio_and_the_backend_find_each_other(files: tuple[str, ...]) -> None:
    project = load(files)
    backend = project["services"]["backend"]
    studio = load_backend(manifest(project)).spec.label_studio
    called = urlsplit(studio.backend_url or "").hostname or ""
    assert called in backend["networks"]["default"]["aliases"]
    # Label Studio makes no webhook for any other.
    assert "." in called
    assert urlsplit(studio.url).hostname in project["services"]
    assert studio.media is not None
    assert studio.media.path in {volume["target"] for volume in backend["volumes"]}


def test_the_backend_uses_redis(plain: dict[str, Any], tmp_path: Path) -> None:
    option = "--redis-url-file=/run/secrets/redis-url"
    assert option in plain["services"]["backend"]["command"]
    folder = made_secrets(tmp_path)
    url = urlsplit((folder / "redis-url").read_text().strip())
    assert url.hostname in plain["services"]
    assert (folder / "redis").read_text() == f"requirepass {url.password}\n"


def test_the_backend_can_do_no_more_than_it_needs(plain: dict[str, Any]) -> None:
    backend = plain["services"]["backend"]
    assert backend["read_only"] is True
    assert backend["cap_drop"] == ["ALL"]
    mounted = {volume["target"]: volume.get("read_only", False) for volume in backend["volumes"]}
    assert mounted == {MANIFEST: True, "/var/lib/lsbackends": False, "/var/lib/label-studio/media": True}
    # Label Studio's database and its key are on a volume that only Label Studio has.
    assert "label-studio" not in {volume["source"] for volume in backend["volumes"]}


def test_nothing_is_open_to_other_machines_unless_asked_for(plain: dict[str, Any]) -> None:
    published = [port for service in plain["services"].values() for port in service.get("ports", [])]
    assert {port["host_ip"] for port in published} == {"127.0.0.1"}


def test_the_gpu_is_reserved_and_used(gpu: dict[str, Any]) -> None:
    (device,) = gpu["services"]["backend"]["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    assert load_backend(manifest(gpu)).spec.serving.runtime == "torch"


def test_secrets_are_files_that_the_script_makes_once(plain: dict[str, Any], tmp_path: Path) -> None:
    folder = made_secrets(tmp_path)
    script = tmp_path / "examples/compose/secrets.sh"
    said = [subprocess.run(["sh", script], check=True, capture_output=True, text=True) for _ in range(2)]
    assert said[0].stdout == said[1].stdout
    assert "admin@example.com" in said[0].stdout
    assert folder.stat().st_mode & 0o077 == 0
    wanted = {Path(secret["file"]).name for secret in plain["secrets"].values()}
    assert {file.name for file in folder.iterdir()} == wanted
    for file in folder.iterdir():
        for word in file.read_text().split():
            secret = word.rpartition("=")[2].rpartition(":")[2]
            # None of them is in a container's environment or on a command line.
            assert len(secret) < 40 or secret not in str(plain["services"])
