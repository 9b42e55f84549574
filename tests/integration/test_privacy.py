"""The libraries call nobody, install nothing, and leave no file where they were not asked to."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """
import json, sys

called = []

def watch(event, arguments):
    if event.startswith(("socket.getaddrinfo", "socket.connect", "socket.sendto")) or (
        event == "subprocess.Popen" and "pip" in str(arguments[1])
    ):
        called.append(f"{event} {arguments[1:]}")

sys.addaudithook(watch)

from pathlib import Path

from lsb_backend.runtime.ultralytics_settings import ultralytics_environment

ultralytics_environment()

import numpy
from lsb_backend.runtime.export import export_onnx
from ultralytics import YOLO
from ultralytics.utils.checks import check_font, check_requirements
from ultralytics.utils.events import events

fonts = [str(check_font(name)) for name in ("Arial.ttf", "Arial.Unicode.ttf")]
installed = check_requirements("a-package-that-nobody-has")
weights = Path(sys.argv[1])
model = YOLO("yolov8n.yaml")
model.save(weights)
result = model.predict(numpy.zeros((64, 64, 3), dtype="uint8"), imgsz=64)[0]
result.plot()
export_onnx(weights, weights.with_name("model.onnx"), 64)
print(json.dumps({"called": called, "fonts": fonts, "installed": installed, "events": events.enabled}))
"""


SERVING = """
import sys
from pathlib import Path

import numpy
from lsb_backend.runtime.onnx import OnnxNetwork
from lsb_backend.runtime.openvino import OpenvinoNetwork

picture = numpy.zeros((1, 64, 64, 3), dtype="uint8")
OnnxNetwork(Path(sys.argv[1]), 1).forward(picture)
OpenvinoNetwork(Path(sys.argv[1]), "f32", 1).forward(picture)
"""


def run_fresh(program: str, root: Path, argument: Path) -> str:
    """Run a program with home, working and temporary folders of its own below `root`; returns its output."""
    for name in ("home", "work", "temporary"):
        (root / name).mkdir()
    # Some of these would switch off by themselves what is to be seen switched off.
    dropped = ("YOLO", "XDG", "MPL", "ORT", "CI", "GITHUB", "PYTEST")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    done = subprocess.run(
        [sys.executable, "-c", program, str(argument)],
        cwd=root / "work",
        env={**kept, "HOME": str(root / "home"), "TMPDIR": str(root / "temporary")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def files_below(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """What ultralytics did in a fresh process, and the folder that holds all it may write to."""
    root = tmp_path_factory.mktemp("fresh")
    (root / "weights").mkdir()
    output = run_fresh(PROGRAM, root, root / "weights" / "weights.pt")
    return json.loads(output.splitlines()[-1]), root


def test_nobody_is_called_and_nothing_installed(report: tuple[dict[str, Any], Path]) -> None:
    said, _ = report
    assert said["called"] == []
    assert said["events"] is False
    assert said["installed"] is False


def test_fonts_for_plots_are_there_without_a_download(report: tuple[dict[str, Any], Path]) -> None:
    said, root = report
    assert [Path(font).name for font in said["fonts"]] == ["Arial.ttf", "Arial.Unicode.ttf"]
    assert all(Path(font).is_relative_to(root / "temporary") for font in said["fonts"])


def test_no_file_is_left_but_those_asked_for(report: tuple[dict[str, Any], Path]) -> None:
    _, root = report
    assert files_below(root) == ["weights/model.onnx", "weights/weights.pt"]


def test_serving_leaves_no_file(report: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    _, root = report
    run_fresh(SERVING, tmp_path, root / "weights" / "model.onnx")
    assert files_below(tmp_path) == []
