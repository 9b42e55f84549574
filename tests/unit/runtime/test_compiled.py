"""Compiled models are kept within bounds, by any number of processes, and none is ever used in part."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lsb_backend.runtime.compiled import CompiledModels
from lsb_backend.runtime.network import Description

SAYS = Description(("cat", "dog"), "detect")
BODY = b"compiled" * 100


def named(folder: Path, content: str) -> tuple[Path, str]:
    """A model with this content, and the name of what is compiled from it."""
    model = folder / f"{content}.onnx"
    model.write_text(content)
    return model, CompiledModels(folder).name(model, "processor", {"threads": 2})


def names(folder: Path) -> set[str]:
    return {path.name.partition(".")[0] for path in folder.glob("*.compiled")}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    compiled = CompiledModels(tmp_path / "new" / "folder")
    compiled.write("one", SAYS, lambda: BODY)
    found = compiled.read("one")
    assert found is not None
    assert (found.data.getvalue(), found.description) == (BODY, SAYS)
    assert compiled.read("another") is None


def test_the_name_says_model_processor_and_settings(tmp_path: Path) -> None:
    model, name = named(tmp_path, "weights")
    compiled = CompiledModels(tmp_path)
    others = {
        compiled.name(model, "processor", {"threads": 1}),
        compiled.name(model, "another", {"threads": 2}),
        named(tmp_path, "other weights")[1],
    }
    assert len(others - {name}) == 3
    assert compiled.name(model, "processor", {"threads": 2}) == name


@pytest.mark.parametrize("kept", range(0, 900, 90))
def test_half_a_file_is_never_used_and_goes(tmp_path: Path, kept: int) -> None:
    compiled = CompiledModels(tmp_path)
    compiled.write("one", SAYS, lambda: BODY)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:kept])
    assert compiled.read("one") is None
    assert not path.exists()


def test_those_used_last_stay(tmp_path: Path) -> None:
    compiled = CompiledModels(tmp_path, kept=2)
    for age, name in enumerate(("a", "b")):
        compiled.write(name, SAYS, lambda: BODY)
        os.utime(tmp_path / f"{name}.compiled", (1000 + age, 1000 + age))
    assert compiled.read("a")
    compiled.write("c", SAYS, lambda: BODY)
    assert names(tmp_path) == {"a", "c"}


def test_together_they_have_a_bound_and_the_newest_stays_whatever_its_size(tmp_path: Path) -> None:
    compiled = CompiledModels(tmp_path, room=3 * len(BODY))
    for name in ("a", "b", "c"):
        compiled.write(name, SAYS, lambda: BODY)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3 * len(BODY)
    assert "c" in names(tmp_path)
    compiled.write("large", SAYS, lambda: BODY * 9)
    assert names(tmp_path) == {"large"}


def test_what_was_compiled_from_a_version_that_is_gone_goes(tmp_path: Path) -> None:
    compiled = CompiledModels(tmp_path / "compiled")
    (_, stays), (_, goes) = named(tmp_path, "stays"), named(tmp_path, "goes")
    for name in (stays, goes):
        compiled.write(name, SAYS, lambda: BODY)
    digest = subprocess.check_output(["sha256sum", tmp_path / "stays.onnx"], text=True).split()[0]
    compiled.keep_only({digest})
    assert names(tmp_path / "compiled") == {stays}


def test_what_a_killed_process_was_writing_goes_with_the_next_write(tmp_path: Path) -> None:
    code = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from lsb_backend.runtime.compiled import CompiledModels\n"
        "from lsb_backend.runtime.network import Description\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"CompiledModels(Path({str(tmp_path)!r})).write('one', Description(), lambda: b'half')"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".tmp-")
    compiled = CompiledModels(tmp_path)
    assert compiled.read("one") is None
    compiled.write("two", SAYS, lambda: BODY)
    assert [path.name for path in tmp_path.iterdir()] == ["two.compiled"]


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    # Not even root makes a folder below a file, or in the kernel's own tree.
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file" / "compiled", Path("/proc/compiled")):
        compiled = CompiledModels(folder)
        compiled.write("one", SAYS, lambda: BODY)
        assert compiled.read("one") is None
        compiled.keep_only(set())


def test_a_library_that_cannot_export_costs_nothing_but_time(tmp_path: Path) -> None:
    def export() -> bytes:
        raise RuntimeError("not on this device")

    CompiledModels(tmp_path).write("one", SAYS, export)
    assert list(tmp_path.iterdir()) == []
