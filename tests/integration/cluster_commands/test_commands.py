"""Commands that read and change backends in a cluster."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cluster import Cluster

Json = Any
Run = Callable[..., "subprocess.CompletedProcess[str]"]
VERSION = "4-0a1b2c3d"
WAITING = {"phase": "AwaitingApproval", "result": {"outcome": "AwaitingApproval", "version": VERSION}}
TRACKING = "argocd.argoproj.io/tracking-id"


def line_of(done: "subprocess.CompletedProcess[str]") -> str:
    """The one line on stderr of a command that was refused."""
    assert done.returncode == 1, done
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def tracked(namespace: str) -> Json:
    """Metadata of a backend that Argo CD tracks."""
    return {"annotations": {TRACKING: f"studio:lsbackends.dev/LabelStudioBackend:{namespace}/cats"}}


def test_pin_and_back(studio: Any, lsb: Run) -> None:
    studio.create()
    assert lsb("pin", "cats", VERSION).returncode == 0
    assert studio.get()["spec"]["model"]["version"] == VERSION
    assert "already" in lsb("pin", "cats", VERSION).stdout
    assert lsb("pin", "cats", "--none").returncode == 0
    assert "version" not in studio.get()["spec"]["model"]
    assert "not pinned" in lsb("pin", "cats", "--none").stdout


def test_what_is_no_version_is_refused_in_the_server_s_words(studio: Any, lsb: Run) -> None:
    studio.create()
    told = line_of(lsb("pin", "cats", "newest"))
    assert "spec.model.version" in told
    assert "3-0a1b2c3d" in told


def test_pause_and_resume(studio: Any, lsb: Run) -> None:
    studio.create()
    before = studio.get()["spec"]
    assert lsb("pause", "cats").returncode == 0
    assert studio.get()["spec"] == before | {"suspend": True}
    generation = studio.get()["metadata"]["generation"]
    assert "was paused" in lsb("pause", "cats").stdout
    assert studio.get()["metadata"]["generation"] == generation
    assert lsb("resume", "cats").returncode == 0
    assert studio.get()["spec"] == before


def test_a_command_that_is_told_works_as_it_is_typed(
    studio: Any, lsb: Run, environment: dict[str, str]
) -> None:
    studio.create()
    told = lsb("pause", "cats").stdout.strip()
    # The namespace of the context is another one.
    back = subprocess.run(
        told.partition("back with: ")[2].split(), capture_output=True, text=True, env=environment, check=True
    )
    assert "cats serves again" in back.stdout
    pinned = lsb("pin", "cats", VERSION).stdout.strip()
    look = pinned.partition("take over: ")[2].removesuffix(" -w").split()
    assert "cats" in subprocess.run(look, capture_output=True, text=True, env=environment, check=True).stdout


def test_versions_as_a_table_and_as_data(studio: Any, lsb: Run) -> None:
    studio.create(spec={"model": {"version": VERSION}})
    line = {
        "name": "t",
        "phase": "Succeeded",
        "version": VERSION,
        "metric": "mAP50",
        "candidate": 0.75,
        "served": 0.5,
    }
    model = {"version": "3-11111111", "target": VERSION, "previous": "3-11111111"}
    studio.report("cats", {"model": model, "lastTrainings": [line]})
    shown = lsb("versions", "cats").stdout
    assert "Succeeded, pinned, taking over" in shown
    assert "0.750" in shown
    found = json.loads(lsb("versions", "cats", "-o", "json").stdout)
    assert [(row["version"], row["serves"]) for row in found["versions"]] == [
        (VERSION, False),
        ("3-11111111", True),
    ]
    assert found["lastTrainings"] == [line]


def test_versions_before_there_are_any(studio: Any, lsb: Run) -> None:
    studio.create()
    assert lsb("versions", "cats").stdout == "No versions yet.\n"


@pytest.mark.parametrize(("option", "word"), [((), "true"), (("--reject",), "false")])
def test_promote_says_the_word_to_the_training_that_waits(
    studio: Any, lsb: Run, option: tuple[str, ...], word: str
) -> None:
    studio.create()
    studio.train("t", WAITING)
    done = lsb("promote", "cats", *option)
    assert done.returncode == 0, done.stderr
    assert VERSION in done.stdout
    assert (
        studio.get("t", "labelstudiotrainings")["metadata"]["annotations"]["lsbackends.dev/approved"] == word
    )


def test_promote_where_nothing_waits(studio: Any, lsb: Run) -> None:
    studio.create()
    assert "training.gate.approval is Auto" in line_of(lsb("promote", "cats"))


def test_a_name_that_is_not_there_is_answered_with_those_that_are(studio: Any, lsb: Run) -> None:
    assert "none is there at all" in line_of(lsb("versions", "cats"))
    studio.create(name="cats-and-dogs")
    studio.create(name="ships")
    assert "did you mean cats-and-dogs?" in line_of(lsb("versions", "cats-and-dgos"))
    assert "there is cats-and-dogs, ships" in line_of(lsb("versions", "xyz"))


def test_a_missing_right_is_named(studio: Any, lsb: Run, allowed: Callable[..., Path]) -> None:
    studio.create()
    nobody, reader = allowed(), allowed("get", "list")
    assert 'the verb "get" on labelstudiobackends' in line_of(lsb("versions", "cats", kubeconfig=nobody))
    assert lsb("versions", "cats", kubeconfig=reader).returncode == 0
    assert 'the verb "patch" on labelstudiobackends' in line_of(lsb("pause", "cats", kubeconfig=reader))
    assert 'the verb "create" on labelstudiotrainings' in line_of(lsb("train", "cats", kubeconfig=reader))
    assert 'the verb "list" on pods' in line_of(lsb("logs", "cats", kubeconfig=reader))


def test_who_may_not_list_is_told_all_the_same(lsb: Run, allowed: Callable[..., Path]) -> None:
    told = line_of(lsb("versions", "cats", kubeconfig=allowed("get")))
    assert "There is no LabelStudioBackend cats" in told


def test_the_namespace_of_the_context_is_the_default(
    studio: Any, cluster: Cluster, environment: dict[str, str], tmp_path: Path
) -> None:
    studio.create()
    document = json.loads(cluster.kubectl("config", "view", "--raw", "--output=json"))
    context = document["contexts"][0]
    context["context"]["namespace"] = studio.namespace
    other = {"name": "other", "context": {**context["context"], "namespace": "default"}}
    document["contexts"].append(other)
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(document))

    def run(*options: str) -> int:
        command = ["kubectl", "lsb", "versions", "cats", *options]
        mine = environment | {"KUBECONFIG": str(file)}
        return subprocess.run(command, capture_output=True, env=mine, check=False).returncode

    assert run() == 0
    assert run("--context", "other") == 1
    assert run("--context", "other", "-n", studio.namespace) == 0


def test_without_the_definitions_it_says_how_to_install_them(environment: dict[str, str]) -> None:
    with Cluster.start(f"empty-{os.getpid()}") as empty:
        command = ["kubectl", "lsb", "versions", "cats", "--kubeconfig", str(empty.kubeconfig)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert "lsb crd | kubectl apply" in line_of(done)


@pytest.mark.parametrize("command", [("pause",), ("pin", VERSION)])
def test_what_git_sets_is_not_edited_unless_forced(studio: Any, lsb: Run, command: tuple[str, ...]) -> None:
    word, *rest = command
    spec = {"suspend": False, "model": {"version": "1-00000000"}}
    studio.apply(spec=spec, metadata=tracked(studio.namespace))
    before = studio.get()["spec"]
    told = line_of(lsb(word, "cats", *rest))
    assert "application studio" in told
    assert "--force" in told
    assert studio.get()["spec"] == before
    done = lsb(word, "cats", *rest, "--force")
    assert done.returncode == 0
    assert "undo this with its next sync" in done.stderr
    assert studio.get()["spec"] != before


def test_what_git_leaves_out_is_edited_and_stays_when_git_is_applied_again(studio: Any, lsb: Run) -> None:
    studio.apply(metadata=tracked(studio.namespace))
    done = lsb("pause", "cats")
    assert done.returncode == 0
    assert "as long as Git leaves spec.suspend out" in done.stderr
    studio.apply(metadata=tracked(studio.namespace))
    assert studio.get()["spec"]["suspend"] is True


def test_what_argocd_applies_on_the_server_side_is_told_apart(
    studio: Any, cluster: Cluster, lsb: Run
) -> None:
    about = {"name": "cats", "namespace": studio.namespace, **tracked(studio.namespace)}
    spec = {"labelStudio": {"url": "http://label-studio:8080"}, "suspend": False}
    manifest = {"apiVersion": "lsbackends.dev/v1alpha1", "kind": "LabelStudioBackend", "metadata": about}
    how = ("--server-side", "--field-manager=argocd-controller", "--filename=-")
    cluster.kubectl("apply", *how, input=json.dumps(manifest | {"spec": spec}))
    assert "application studio" in line_of(lsb("pause", "cats"))
    assert lsb("pin", "cats", VERSION).returncode == 0


def test_a_training_is_nobody_s_edit(studio: Any, lsb: Run) -> None:
    studio.apply(metadata=tracked(studio.namespace), spec={"suspend": False})
    done = lsb("train", "cats")
    assert (done.returncode, done.stderr) == (0, "")
