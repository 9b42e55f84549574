"""`-f FILE` is here, NAME is the cluster: never both, and no option of the other."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("train", "cats", "-f", "FILE"), "one of the two"),
        (("versions", "cats", "-f", "FILE"), "one of the two"),
        (("pin", "cats", "3-0a1b2c3d", "-f", "FILE"), "one of the two"),
        (("train", "cats", "--store", "x"), "--store goes with -f FILE"),
        (("train", "cats", "--token-file", "x"), "--token-file goes with -f FILE"),
        (("versions", "cats", "--store", "x"), "--store goes with -f FILE"),
        (("pin", "cats", "--none", "--store", "x"), "--store goes with -f FILE"),
        (("train", "-f", "FILE", "--wait"), "--wait goes with NAME"),
        (("train", "-f", "FILE", "--epochs", "3"), "--epochs goes with NAME"),
        (("train", "-f", "FILE", "-n", "studio"), "--namespace goes with NAME"),
        (("versions", "-f", "FILE", "--context", "x"), "--context goes with NAME"),
        (("pin", "-f", "FILE", "--none", "--force"), "--force goes with NAME"),
    ],
)
def test_a_mixture_is_refused(lsb: Run, manifest: Path, arguments: tuple[str, ...], told: str) -> None:
    done = lsb(*(str(manifest) if one == "FILE" else one for one in arguments))
    assert done.returncode == 1
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_plugin_has_the_commands_about_a_cluster_alone(plugin: Run) -> None:
    shown = plugin("--help").stdout
    for command in ("train", "versions", "pin", "promote", "pause", "resume", "logs"):
        assert f" {command} " in shown
        assert f"kubectl lsb {command}" in plugin(command, "--help").stdout
    for command in ("serve", "register", "operator", "render"):
        assert f" {command} " not in shown


def test_the_plugin_takes_no_file(plugin: Run) -> None:
    assert plugin("train", "-f", "backend.yaml").returncode == 2


def test_help_does_not_load_the_client() -> None:
    code = (
        "import sys\nsys.argv = ['kubectl-lsb', 'train', '--help']\n"
        "from lsb_cli.cluster.plugin import run\n"
        "try: run()\nexcept SystemExit: pass\n"
        "print(sorted(name for name in sys.modules if '.' not in name), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'typer'" in done.stderr
    for heavy in ("kubernetes", "yaml", "urllib3", "lsb_operator"):
        assert f"'{heavy}'" not in done.stderr
