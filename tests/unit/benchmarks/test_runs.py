"""The runner itself: it measures what it was asked for, writes it down, and leaves nothing running."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.figures import Report

ROOT = Path(__file__).parents[3]


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "dev"), "TMPDIR": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(900)
def test_a_quick_run_measures_for_real_and_writes_json(tmp_path: Path) -> None:
    written = tmp_path / "figures.json"
    done = run("--quick", "--only", "protocol", "--json", str(written), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    report = Report.model_validate_json(written.read_bytes())
    assert report.quick
    assert report.machine.cores >= 1
    (line,) = report.lines
    assert line.key == "protocol/dummy"
    assert line.baseline is not None
    # A request that does something takes longer than one that does nothing.
    assert line.figure.median > line.baseline.median > 0
    assert "an empty FastAPI route" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]


def test_an_unknown_question_names_those_there_are(tmp_path: Path) -> None:
    done = run("--only", "speed", folder=tmp_path)
    assert done.returncode == 1
    assert "choose from predict, latency" in done.stderr
    done = run("--only", "memory", "--url", "http://127.0.0.1:9", folder=tmp_path)
    assert "with --url choose from predict, latency" in done.stderr
