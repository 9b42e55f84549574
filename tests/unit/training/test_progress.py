"""What a program reads of a training is JSON, whatever the figures are."""

import io
import json
import math

from lsb_backend.training.progress import JsonLines, reporter


def test_events_are_json_lines_without_nan() -> None:
    stream = io.StringIO()
    report = JsonLines(stream)
    report.stage("fit", "fine-tunes")
    report.epoch(3, 30, {"metrics/mAP50(B)": 0.123456789, "val/box_loss": math.nan})
    report.note("über\nzwei Zeilen")
    stage, epoch, note = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (stage["phase"], stage["message"]) == ("fit", "fine-tunes")
    assert (epoch["epoch"], epoch["epochs"], epoch["metrics"]) == (3, 30, {"metrics/mAP50(B)": 0.12346})
    assert note["message"] == "über\nzwei Zeilen"


def test_a_terminal_gets_a_bar_and_no_json() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    with reporter(terminal) as report:
        report.stage("fit", "fine-tunes")
        report.epoch(1, 2, {"metrics/mAP50(B)": 0.5})
        report.epoch(2, 2, {"metrics/mAP50(B)": 0.75})
    text = terminal.getvalue()
    assert "epoch 2 of 2" in text
    assert "mAP50(B) 0.750" in text
    assert "{" not in text
