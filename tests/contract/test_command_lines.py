"""What the operator has pods do, `lsb` understands: the real one parses each command line of its builders."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.core

from lsb_cli.main import app
from lsb_crds.backend import LabelStudioBackend
from lsb_crds.decisions import Decisions
from lsb_crds.manifest import load_backend
from lsb_crds.resolve import resolve
from lsb_operator import marks
from lsb_operator.children import volumes
from lsb_operator.children.template import template
from lsb_operator.facts import Facts, TrainingFacts
from lsb_operator.jobs.prepare import prepare
from lsb_operator.jobs.register import register
from lsb_operator.jobs.train import train
from lsb_operator.jobs.unregister import unregister

GOLDEN = Path(__file__).parents[1] / "unit" / "operator" / "golden"
CASES = sorted(folder.name for folder in GOLDEN.iterdir() if folder.is_dir())
PROGRAMS = ("serve", "train", "prepare", "register", "unregister")
FILES = ("-f", "--token-file", "--basic-auth-file", "--redis-url-file", "--version-file", "--decisions-file")


def backend_of(case: str) -> LabelStudioBackend:
    return load_backend(GOLDEN / case / "backend.yaml")


def pods(backend: LabelStudioBackend) -> dict[str, Any]:
    """The pod template of each program, by the program's name."""
    live = {"metadata": {"name": backend.metadata.name, "namespace": "studio", "uid": "1"}}
    told = Decisions(promoted="3-0a1b2c3d", rolled_back=("4-0a1b2c3d",))
    facts = Facts(backend=live, now=datetime(2026, 1, 31, tzinfo=UTC), target="3-0a1b2c3d", decisions=told)
    resolved = resolve(backend, "1.0.0")
    longest = f"{backend.metadata.name[:40]}-after-99999"
    asked = TrainingFacts(longest, uid="0a1b2c3d-1111", epochs=3, arguments={"lr0": 0.1}, force=True)
    return {
        "serve": template(backend, resolved, facts),
        "train": train(backend, resolved, facts, asked, 1)["spec"]["template"],
        "prepare": prepare(backend, resolved, facts, asked, 1)["spec"]["template"],
        "register": register(backend, resolved)["spec"]["template"],
        "unregister": unregister(backend, resolved)["spec"]["template"],
    }


def words(pod: dict[str, Any]) -> list[str]:
    [container] = pod["spec"]["containers"]
    return list(container["command"])


def mounts(pod: dict[str, Any]) -> Iterator[str]:
    """Every file that is mounted, by its path in the container."""
    [container] = pod["spec"]["containers"]
    folders = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    for volume in pod["spec"]["volumes"]:
        sources = volume.get("projected", {}).get("sources", [volume])
        for source in sources:
            for kind in ("configMap", "secret", "downwardAPI"):
                for item in source.get(kind, {}).get("items", []):
                    yield f"{folders[volume['name']]}/{item['path']}"


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("case", CASES)
def test_every_command_line_of_a_pod_is_understood(case: str, program: str) -> None:
    lsb, *line = words(pods(backend_of(case))[program])
    assert lsb == "lsb"
    name, *rest = line
    assert name == program
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    # Raises for an option that is unknown, or a value that is none; nothing is run.
    parsed = group.commands[name].make_context(name, rest)
    assert parsed.params["file"] == Path(volumes.MANIFEST_FILE)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("case", CASES)
def test_every_file_that_a_command_line_names_is_mounted(case: str, program: str) -> None:
    pod = pods(backend_of(case))[program]
    line = words(pod)
    named = [value for option, value in pairwise(line) if option in FILES]
    assert named
    assert sorted(set(named) - set(mounts(pod))) == []


@pytest.mark.parametrize("case", CASES)
def test_the_manifest_of_a_job_is_one_and_says_what_the_training_asked_for(case: str, tmp_path: Path) -> None:
    templates = pods(backend_of(case))
    for program in ("train", "prepare", "register", "unregister"):
        file = tmp_path / "backend.yaml"
        file.write_text(templates[program]["metadata"]["annotations"][marks.MANIFEST])
        read = load_backend(file)
        assert read.metadata.name == backend_of(case).metadata.name
        if program == "train":
            assert read.spec.training.epochs == 3
            assert read.spec.training.arguments["lr0"] == 0.1
            assert read.spec.training.minimum_annotations == 1
            assert read.spec.model.version == "3-0a1b2c3d"
