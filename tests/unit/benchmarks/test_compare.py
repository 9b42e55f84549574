"""Two runs side by side, as `make bench-compare` shows them."""

import sys
from pathlib import Path
from typing import Any

import pytest
from benchmarks import compare


def compared(folder: Path, monkeypatch: pytest.MonkeyPatch, old: Any, new: Any) -> object:
    """The exit code of a comparison."""
    for name, report in (("old", old), ("new", new)):
        (folder / f"{name}.json").write_text(report if isinstance(report, str) else report.model_dump_json())
    arguments = ["compare", str(folder / "old.json"), str(folder / "new.json")]
    monkeypatch.setattr(sys, "argv", arguments)
    monkeypatch.setenv("COLUMNS", "160")
    with pytest.raises(SystemExit) as ended:
        compare.main()
    return ended.value.code


def test_a_ratio_that_got_worse_beyond_its_tolerance_fails(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = make.report(make.line(3.0, "quick"), make.line(3.0, "same"))
    new = make.report(make.line(2.6, "quick"), make.line(2.9, "same"))
    assert compared(tmp_path, monkeypatch, old, new) == 1
    shown = {line.split()[2]: line for line in capsys.readouterr().out.splitlines() if "how quick" in line}
    assert "WORSE" in shown["quick"]
    assert "-13.3%" in shown["quick"]
    assert "WORSE" not in shown["same"]


def test_a_slower_machine_is_no_slower_program(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = make.line(3.0)
    slow = {name: getattr(line, name).model_copy(update={"median": 1.0}) for name in ("figure", "baseline")}
    old, new = make.report(line), make.report(line.model_copy(update=slow), processor="another")
    assert compared(tmp_path, monkeypatch, old, new) == 0


@pytest.mark.parametrize(
    ("better", "before", "after", "code"),
    [
        ("higher", 3.0, 2.0, 1),
        ("higher", 2.0, 3.0, 0),
        ("lower", 3.0, 2.0, 0),
        ("lower", 2.0, 3.0, 1),
    ],
)
def test_worse_is_the_direction_that_the_line_says(
    make: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    better: str,
    before: float,
    after: float,
    code: int,
) -> None:
    old, new = (make.report(make.line(ratio, better=better)) for ratio in (before, after))
    assert compared(tmp_path, monkeypatch, old, new) == code


def test_each_line_has_its_own_tolerance(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = make.report(make.line(2.0))
    assert compared(tmp_path, monkeypatch, old, make.report(make.line(1.5, tolerance=0.3))) == 0
    assert compared(tmp_path, monkeypatch, old, make.report(make.line(1.5, tolerance=0.2))) == 1


def test_without_a_baseline_the_figures_are_compared(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = make.line(None)
    worse = line.model_copy(update={"figure": line.figure.model_copy(update={"median": 21.0})})
    assert compared(tmp_path, monkeypatch, make.report(line), make.report(worse)) == 1


def test_lines_of_one_run_alone_are_named_and_fail_nothing(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = make.report(make.line(3.0, "both"), make.line(3.0, "gone"))
    new = make.report(make.line(3.0, "both"), make.line(3.0, "added"))
    assert compared(tmp_path, monkeypatch, old, new) == 0
    assert "gone is not in the new run" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "{", "[]", '{"lines": 5}'])
def test_a_file_of_something_else_is_refused_in_one_line(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    message = compared(tmp_path, monkeypatch, text, make.report())
    assert isinstance(message, str)
    assert "not a file of make bench" in message
    assert "\n" not in message
