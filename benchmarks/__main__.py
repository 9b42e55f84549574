"""Measures what benchmarks/README.md claims, every figure beside a baseline of the same run."""

import argparse
import base64
import contextlib
import importlib
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.bed.bed import Bed
from benchmarks.bed.rounds import say
from benchmarks.figures import Line, Report
from benchmarks.machine import machine
from benchmarks.options import QUICK, Amount, Options
from benchmarks.table import described, table
from rich.console import Console

# By what each one asks; the files of benchmarks/questions.
QUESTIONS = {
    "predict": "64 tasks in a request, openvino in f32 and auto, against ultralytics and against the limit",
    "latency": "one task, 8 callers at once, against one alone",
    "torch": "64 tasks in a request, torch, against bare YOLO.predict",
    "memory": "serving with openvino, against torch",
    "start": "process start to ready, against torch",
    "protocol": "a dummy's answer, against an empty FastAPI route",
    "dataset": "1,000 tasks from Label Studio, against the converter of label-studio-sdk",
    "training": "10 epochs of lsb train, against bare yolo train",
    "health": "/health during a training and a full queue, against the same server idle",
}
_MODULES = {"torch": "torch_runtime"}
_FROM_OUTSIDE = ("predict", "latency")


def main() -> None:
    """Measure, print a table, and write JSON if asked to."""
    # Ended from outside, it ends what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    chosen = _arguments()
    console = Console(width=None if sys.stdout.isatty() else 180)
    begun, where = datetime.now(UTC), machine()
    console.print(described(where), highlight=False, markup=False)
    with _folder(chosen.keep) as folder:
        options = Options(
            amount=QUICK if chosen.quick else Amount(),
            folder=folder,
            quick=chosen.quick,
            url=chosen.url,
            authorization=_basic(chosen.basic_auth),
        )
        lines = _measured(_wanted(chosen.only, chosen.url), options)
    console.print(table(lines))
    if chosen.json:
        report = Report(
            measured_at=begun.isoformat(timespec="seconds"), quick=chosen.quick, machine=where, lines=lines
        )
        chosen.json.write_text(report.model_dump_json(indent=2))


def _measured(names: Sequence[str], options: Options) -> list[Line]:
    lines: list[Line] = []
    with contextlib.ExitStack() as stack:
        bed = Bed(options, stack)
        for name in names:
            say(f"{name}: {QUESTIONS[name]}")
            module = importlib.import_module(f"benchmarks.questions.{_MODULES.get(name, name)}")
            other = options.url is not None and name == "predict"
            lines += module.measure_other(bed) if other else module.measure(bed)
    return lines


def _wanted(only: Sequence[str], url: str | None) -> list[str]:
    known = _FROM_OUTSIDE if url else tuple(QUESTIONS)
    if unknown := [name for name in only if name not in known]:
        sys.exit(f"--only {' '.join(unknown)}: {'with --url ' if url else ''}choose from {', '.join(known)}")
    return [name for name in known if not only or name in only]


def _basic(user_and_password: str | None) -> str | None:
    if user_and_password is None:
        return None
    return "Basic " + base64.b64encode(user_and_password.encode()).decode()


@contextlib.contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=False)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="lsbackends-bench-") as folder:
        yield Path(folder)


def _arguments() -> argparse.Namespace:
    listed = "\n".join(f"  {name:<10}{question}" for name, question in QUESTIONS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"{__doc__}\n\nquestions:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", metavar="QUESTION", default=[], help="answer these alone")
    parser.add_argument("--quick", action="store_true", help="as little as shows that everything runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument(
        "--url", help="measure this server in place of ours; it must speak the protocol of ML backends"
    )
    parser.add_argument("--basic-auth", metavar="USER:PASSWORD", help="what the server at --url asks for")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work in this new folder and keep it")
    return parser.parse_args()


if __name__ == "__main__":
    main()
