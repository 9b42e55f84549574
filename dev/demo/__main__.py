"""`make demo`: a real Label Studio, a real training, and a table that says how much better it became."""

import argparse
import fcntl
import os
import signal
import sys
from pathlib import Path
from typing import TextIO

from label_studio import LabelStudioStartError
from label_studio_admin import AdminError
from rich.console import Console

from demo import loop, report
from demo.errors import DemoError
from demo.leftovers import Leftovers
from demo.pictures import CLASSES, generate
from demo.servers import ANNOTATED, running_servers
from demo.steps import Steps

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".cache" / "demo"
STOP = "make demo-stop"
PICTURES = 100
WANTED = 0.5  # mAP50 on pictures nobody annotated
_TAIL = 15  # lines of each log shown after a failure


def main() -> int:
    """Run the demonstration; the exit code is 0 if the model has learned."""
    arguments = _arguments()
    console = Console(highlight=False)
    folder: Path = arguments.folder.absolute()
    lock = _lock(folder.with_name(f"{folder.name}.lock"))
    if lock is None:
        console.print(f"[red]error:[/red] another demonstration runs in {folder}: wait for it, or end it")
        return 1
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    leftovers = Leftovers(folder)
    if arguments.stop:
        console.print(f"Ended {leftovers.end()} servers.")
        return 0
    return _guarded(console, leftovers, arguments.keep)


def _guarded(console: Console, leftovers: Leftovers, keep: bool) -> int:
    try:
        return _demonstrate(console, leftovers, keep)
    except KeyboardInterrupt:
        console.print("Interrupted; nothing is left running.")
        return 130
    except (DemoError, LabelStudioStartError, AdminError, OSError) as error:
        _print_logs(console, leftovers.folder)
        console.print(f"[red]error:[/red] {' '.join(str(error).splitlines()[:1])}", soft_wrap=True)
        return 1


def _demonstrate(console: Console, leftovers: Leftovers, keep: bool) -> int:
    leftovers.clear()
    steps = Steps(console)
    with steps.step(f"Draw {PICTURES} pictures of {', '.join(CLASSES)}"):
        pictures = generate(PICTURES)
    with running_servers(steps, leftovers, pictures, keep) as servers:
        outcome = loop.run(steps, servers, pictures[ANNOTATED:])
        report.show(console, outcome, leftovers.folder, steps.elapsed)
    if keep:
        stop = STOP if leftovers.folder == FOLDER else f"{STOP} DEMO_FOLDER={leftovers.folder}"
        report.show_kept(console, servers, stop)
    reached = outcome.after.figures.map50
    if reached < WANTED:
        console.print(
            f"[red]error:[/red] mAP50 {reached:.3f} is below {WANTED}: the model has not learned enough"
        )
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    kept = os.environ.get("KEEP", "") not in ("", "0")
    folder = Path(os.environ.get("DEMO_FOLDER") or FOLDER)
    parser.add_argument("--keep", action="store_true", default=kept, help="leave both servers running")
    parser.add_argument("--folder", type=Path, default=folder, help="a folder of its own, deleted at a start")
    parser.add_argument("--stop", action="store_true", help="only end servers that were left running")
    return parser.parse_args()


def _lock(file: Path) -> TextIO | None:
    """Held while this process lives; None while another one holds it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    opened = file.open("w")
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        opened.close()
        return None
    return opened


def _print_logs(console: Console, folder: Path) -> None:
    for log in (folder / "label-studio" / "label-studio.log", folder / "backend.log"):
        if log.exists():
            console.rule(str(log))
            lines = log.read_text(errors="replace").splitlines()
            console.print("\n".join(lines[-_TAIL:]), markup=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
