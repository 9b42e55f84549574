"""What a person who types `lsb` gets: answers, and errors of one line."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Run = Callable[..., "subprocess.CompletedProcess[str]"]
HEAVY = (
    *("torch", "ultralytics", "starlette", "uvicorn", "aiohttp", "cv2", "numpy", "pydantic"),
    *("kubernetes", "lsb_backend"),
)
COMMANDS = (
    *("serve", "train", "prepare", "register", "unregister", "versions", "pin", "crd"),
    *("promote", "pause", "resume", "logs", "render", "operator"),
)


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "sys.argv = ['lsb', '--help']\n"
        "from lsb_cli.main import run\n"
        "try: run()\n"
        "except SystemExit: pass\n"
        "print(sorted(name for name in sys.modules if '.' not in name), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stderr
    assert all(f" {command} " in done.stdout for command in COMMANDS)
    for heavy in HEAVY:
        assert f"'{heavy}'" not in loaded


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_an_example(lsb: Run, command: str) -> None:
    help_text = lsb(command, "--help").stdout
    example = help_text.partition("Example: ")[2].partition("╭")[0]
    assert f"lsb {command}" in example
    # What the command takes is told in single brackets.
    assert "[[" not in help_text.partition("Example: ")[0]


def test_the_help_names_the_folder_of_the_store_in_full(lsb: Run) -> None:
    assert "~/.local/share/lsbackends/NAME]" in lsb("serve", "--help").stdout


@pytest.mark.parametrize("command", ["serve", "train", "prepare", "register", "unregister", "versions"])
def test_without_a_manifest_it_says_how_to_name_one(lsb: Run, command: str) -> None:
    done = lsb(command)
    assert done.returncode == 1
    assert done.stderr == f"error: Which backend? Name its manifest: lsb {command} -f backend.yaml\n"


def test_a_name_is_for_a_cluster(lsb: Run) -> None:
    done = lsb("serve", "cats")
    assert done.returncode == 1
    assert "kubectl lsb" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_manifest_with_a_typo_is_one_line(lsb: Run, manifest: Path) -> None:
    manifest.write_text(manifest.read_text().replace("task:", "tsak:"))
    done = lsb("serve", "-f", str(manifest))
    assert done.returncode == 1
    assert "tsak" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_exit_code_for_data_that_do_not_suffice_is_42(lsb: Run, manifest: Path) -> None:
    done = lsb("train", "-f", str(manifest), LABEL_STUDIO_API_KEY="a" * 40)
    assert done.returncode == 42
    assert "dummy" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_token_it_says_where_to_put_one(lsb: Run, manifest: Path) -> None:
    done = lsb("train", "-f", str(manifest), LABEL_STUDIO_API_KEY="")
    assert done.returncode == 1
    assert "LABEL_STUDIO_API_KEY" in done.stderr


def test_an_unexpected_error_is_one_line_and_its_traceback_a_file(tmp_path: Path) -> None:
    code = (
        "import lsb_cli.main as main\ndef broken(): raise KeyError('surprise')\nmain.app = broken\nmain.run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"TMPDIR": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    [file] = tmp_path.glob("lsb-*.log")
    assert str(file) in done.stderr
    assert "KeyError: 'surprise'" in file.read_text()


def test_ctrl_c_is_130() -> None:
    code = "import lsb_cli.main as main\ndef stop(): raise KeyboardInterrupt\nmain.app = stop\nmain.run()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr == ""


def test_a_reader_that_leaves_hears_no_complaint(lsb: Run) -> None:
    command = f"{sys.executable} -m lsb_cli crd | head -c 10 >/dev/null; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    # All was read in time, click noticed, or we did.
    assert done.returncode in (0, 1, 141)
    assert done.stderr == ""


def test_the_definitions_are_two_documents(lsb: Run) -> None:
    documents = list(yaml.safe_load_all(lsb("crd").stdout))
    assert [document["kind"] for document in documents] == ["CustomResourceDefinition"] * 2


def test_versions_before_there_is_a_store_says_what_to_do(lsb: Run, manifest: Path) -> None:
    done = lsb("versions", "-f", str(manifest))
    assert done.returncode == 1
    assert "lsb serve -f" in done.stderr


def listed(lsb: Run, manifest: Path) -> list[dict[str, Any]]:
    """The versions as a program reads them."""
    printed = lsb("versions", "-f", str(manifest), "-o", "json").stdout
    versions: list[dict[str, Any]] = json.loads(printed)["versions"]
    return versions


def test_prepare_versions_and_pin(lsb: Run, manifest: Path) -> None:
    prepared = lsb("prepare", "-f", str(manifest))
    assert prepared.returncode == 0, prepared.stderr
    [version] = listed(lsb, manifest)
    assert version["serves"] is True
    assert version["pinned"] is False
    name = version["version"]
    assert name in lsb("versions", "-f", str(manifest)).stdout

    assert lsb("pin", "-f", str(manifest), name).returncode == 0
    assert listed(lsb, manifest)[0]["pinned"] is True
    assert lsb("pin", "-f", str(manifest), "--none").returncode == 0
    assert (
        json.loads(lsb("versions", "-f", str(manifest), "-o", "json").stdout)["versions"][0]["pinned"]
        is False
    )

    unknown = lsb("pin", "-f", str(manifest), "9-12345678")
    assert unknown.returncode == 1
    assert name in unknown.stderr


@pytest.mark.parametrize("arguments", [(), ("0-12345678", "--none")])
def test_pin_takes_one_thing(lsb: Run, manifest: Path, arguments: tuple[str, ...]) -> None:
    done = lsb("pin", "-f", str(manifest), *arguments)
    assert done.returncode == 1
    assert "--none" in done.stderr


def test_preparing_twice_makes_one_version(lsb: Run, manifest: Path) -> None:
    for _ in range(2):
        assert lsb("prepare", "-f", str(manifest)).returncode == 0
    assert len(listed(lsb, manifest)) == 1


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--store", "~nobody_here/store", "home folder"),
        ("--store", "", "no folder is named"),
        ("--host", "h" * 300, "give another --host"),
        ("--root-path", "/{x}", "such as /cats"),
        ("--root-path", "/a b?c", "such as /cats"),
        ("--root-path", "http://x/y", "such as /cats"),
    ],
)
def test_an_option_that_cannot_be_is_one_line(
    lsb: Run, manifest: Path, tmp_path: Path, option: str, value: str, said: str
) -> None:
    done = lsb("serve", "-f", str(manifest), "--port", "0", option, value)
    assert done.returncode == 1
    assert said in done.stderr
    assert "unexpected" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert done.stderr.count("error: ") == 1
    # Nothing was made of what was refused.
    assert [path.name for path in tmp_path.iterdir()] == ["backend.yaml"]


def test_the_store_is_where_it_is_told_to_be(lsb: Run, manifest: Path, tmp_path: Path) -> None:
    assert lsb("prepare", "-f", str(manifest)).returncode == 0
    assert (tmp_path / "data" / "lsbackends" / "cats" / "promoted.json").is_file()
    assert lsb("prepare", "-f", str(manifest), "--store", "elsewhere").returncode == 0
    assert (tmp_path / "elsewhere" / "promoted.json").is_file()
