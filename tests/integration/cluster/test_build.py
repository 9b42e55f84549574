"""Building the control plane: once, and whole. A small Go module stands for the one that takes minutes."""

import dataclasses
import subprocess
from pathlib import Path

import pytest
from cluster import ClusterError
from cluster.build import CONTROL_PLANE, PARTS, built
from cluster.progress import Progress

PROGRAM = 'package main\n\nimport "os"\n\nfunc main() { os.Stdout.WriteString(os.Args[0]) }\n'


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A Go module that builds in a second."""
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "go.mod").write_text("module small\n\ngo 1.21\n\n// k8s.io/kubernetes v1.2.3\n")
    (folder / "go.sum").write_text("")
    (folder / "main.go").write_text(PROGRAM)
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    # Go's own cache stays where it is: it would follow.
    go_cache = subprocess.run(["go", "env", "GOCACHE"], capture_output=True, text=True, check=True).stdout
    monkeypatch.setenv("GOCACHE", go_cache.strip())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "lsbackends"


def test_each_part_is_an_executable_of_its_name(module: Path, cache: Path) -> None:
    folder = built(Progress(), module)
    for part in PARTS:
        said = subprocess.run([folder / part], capture_output=True, text=True, check=True).stdout
        assert said == str(folder / part)


def test_it_is_built_once_for_the_same_sources(module: Path, cache: Path) -> None:
    first = built(Progress(), module)
    made = (first / "etcd").stat().st_mtime_ns
    assert (built(Progress(), module) / "etcd").stat().st_mtime_ns == made
    (module / "main.go").write_text(PROGRAM + "\n// changed\n")
    assert built(Progress(), module) != first


def test_settings_of_the_caller_change_nothing(
    module: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOFLAGS", "-mod=vendor")
    monkeypatch.setenv("GOWORK", str(module / "go.work"))
    assert built(Progress(), module).is_dir()


def test_what_the_compiler_says_is_told_and_nothing_stays(module: Path, cache: Path) -> None:
    (module / "main.go").write_text("package main\n\nfunc main() { missing() }\n")
    with pytest.raises(ClusterError, match="undefined: missing"):
        built(Progress(), module)
    assert [path for path in cache.iterdir() if path.suffix != ".lock"] == []


def test_what_a_killed_build_left_is_cleared_away(module: Path, cache: Path) -> None:
    folder = built(Progress(), module)
    folder.rename(folder.with_suffix(".partial"))
    assert built(Progress(), module) == folder
    assert not folder.with_suffix(".partial").exists()


def test_without_go_one_line_says_what_to_do(
    module: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClusterError, match=r"Go is not installed.*https://go\.dev/dl") as caught:
        built(Progress(), module)
    assert "\n" not in str(caught.value)


def test_without_a_terminal_a_line_says_that_it_builds(
    module: Path, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    built(Progress(), module)
    assert "Building Kubernetes v1.2.3 from Go modules" in capfd.readouterr().err


def test_another_program_is_built_the_same_way(module: Path, cache: Path) -> None:
    (module / "cmd").mkdir()
    (module / "main.go").rename(module / "cmd" / "main.go")
    stamp = "package main\n\nvar version string\n\nfunc init() { print(version) }\n"
    (module / "cmd" / "version.go").write_text(stamp)
    other = dataclasses.replace(
        CONTROL_PLANE,
        name="tool",
        parts=("tool",),
        package="./cmd",
        stamps=("main.version=v{major}.{minor}",),
    )
    tool = built(Progress(), module, other) / "tool"
    said = subprocess.run([tool], capture_output=True, text=True, check=True)
    assert (said.stdout, said.stderr) == (str(tool), "v1.2")
