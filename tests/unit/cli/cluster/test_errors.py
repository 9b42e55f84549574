"""Every refusal is one line that says what to do."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsb_cli.cluster.errors import MissingError, Request, refused
from lsb_operator.kinds import BACKEND, POD

Run = Callable[..., "subprocess.CompletedProcess[str]"]
COMMANDS = ("train", "versions", "pin", "promote", "pause", "resume", "logs")
SERVER = "https://cluster.example.org"


def line_of(done: "subprocess.CompletedProcess[str]") -> str:
    """The one line on stderr."""
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def answer(message: str, **more: Any) -> str:
    """A refusal as an API server words it."""
    return json.dumps({"kind": "Status", "status": "Failure", "message": message, **more})


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_kubeconfig_it_says_where_one_is_looked_for(plugin: Run, command: str) -> None:
    arguments = ["--none"] if command == "pin" else []
    assert "KUBECONFIG, ~/.kube/config" in line_of(plugin(command, "cats", *arguments))


def test_a_kubeconfig_that_does_not_exist_is_named(plugin: Run, tmp_path: Path) -> None:
    assert "nowhere.yaml" in line_of(
        plugin("versions", "cats", "--kubeconfig", str(tmp_path / "nowhere.yaml"))
    )


@pytest.mark.parametrize("text", ["", "no: [yaml", "just a word", "{}", "[]"])
def test_a_kubeconfig_that_is_none_is_one_line(plugin: Run, tmp_path: Path, text: str) -> None:
    file = tmp_path / "broken"
    file.write_text(text)
    assert "broken" in line_of(plugin("versions", "cats", "--kubeconfig", str(file)))


def test_a_context_that_does_not_exist_is_named(plugin: Run, kubeconfig: Path) -> None:
    told = line_of(plugin("versions", "cats", "--kubeconfig", str(kubeconfig), "--context", "other"))
    assert "context other" in told


def test_a_server_that_is_not_there_is_named(plugin: Run, kubeconfig: Path) -> None:
    told = line_of(plugin("versions", "cats", "--kubeconfig", str(kubeconfig)))
    assert "https://127.0.0.1:9 cannot be reached" in told
    assert "refused" in told


def test_a_path_that_the_server_does_not_know_means_no_definitions() -> None:
    error = refused(Request("get", BACKEND, "studio", "cats"), 404, "404 page not found\n", SERVER)
    assert "lsb crd | kubectl apply" in str(error)
    assert not isinstance(error, MissingError)


def test_an_object_that_is_not_there_is_not_a_missing_definition() -> None:
    body = answer('labelstudiobackends.lsbackends.dev "cats" not found')
    error = refused(Request("get", BACKEND, "studio", "cats"), 404, body, SERVER)
    assert isinstance(error, MissingError)
    assert "crd" not in str(error)


def test_what_is_missing_behind_an_object_is_not_the_object() -> None:
    body = answer('nodes "gone" not found', details={"name": "gone", "kind": "nodes"})
    error = refused(Request("get", POD, "studio", "p", "log"), 404, body, SERVER)
    assert str(error) == 'nodes "gone" not found'
    assert not isinstance(error, MissingError)


def test_a_missing_right_names_the_verb() -> None:
    body = answer(
        'labelstudiobackends.lsbackends.dev "cats" is forbidden: User "ann" cannot patch resource '
        '"labelstudiobackends" in API group "lsbackends.dev" in the namespace "studio"'
    )
    told = str(refused(Request("patch", BACKEND, "studio", "cats"), 403, body, SERVER))
    assert 'ask for a Role with the verb "patch" on labelstudiobackends of apiGroup "lsbackends.dev"' in told
    assert told.startswith("ann may not patch labelstudiobackends in namespace studio")


def test_a_missing_right_to_logs_names_the_subresource() -> None:
    body = answer('pods "p" is forbidden: User "ann" cannot get resource "pods/log" in API group "" in ...')
    told = str(refused(Request("get", POD, "studio", "p", "log"), 403, body, SERVER))
    assert 'the verb "get" on pods/log' in told


def test_a_quota_speaks_for_itself() -> None:
    body = answer('labelstudiotrainings "x" is forbidden: exceeded quota: trainings, used: 5, limited: 5')
    told = str(refused(Request("create", BACKEND, "studio"), 403, body, SERVER))
    assert "exceeded quota" in told
    assert "Role" not in told


def test_an_invalid_field_is_named_with_its_rule() -> None:
    causes = [{"field": "spec.model.version", "message": "must be a version such as '3-0a1b2c3d'"}]
    body = answer("long", details={"causes": causes})
    told = str(refused(Request("patch", BACKEND, "studio", "cats"), 422, body, SERVER))
    assert told == "spec.model.version: must be a version such as '3-0a1b2c3d'"


def test_a_token_that_is_over_says_so() -> None:
    told = str(refused(Request("get", BACKEND, "studio", "cats"), 401, answer("Unauthorized"), SERVER))
    assert "log in again" in told


@pytest.mark.parametrize("body", ["", "<html>bad gateway</html>", "[]", "{", "null"])
def test_an_answer_that_is_no_status_is_still_an_error(body: str) -> None:
    assert str(refused(Request("get", BACKEND, "studio", "cats"), 502, body, SERVER))
