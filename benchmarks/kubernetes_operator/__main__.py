"""Measures the operator before a real API server, each figure beside a baseline of the same run."""

import argparse
import asyncio
import json
import os
import platform
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from benchmarks.kubernetes_operator import burst, crowd, latency
from benchmarks.kubernetes_operator.table import heading, table

_PARTS = ("latency", "burst", "crowd")


def main() -> None:
    """Measure, print a table, and write JSON if asked to."""
    chosen = _arguments()
    # Ended from outside, it ends what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    figures: dict[str, Any] = {"machine": {"cpus": os.cpu_count(), "processor": platform.machine()}}
    figures["machine"]["load before"] = os.getloadavg()[0]
    print(heading())
    for name, part in _parts(chosen).items():
        if name in chosen.only:
            figures[name] = asyncio.run(part())
            print(table(name, figures[name]), flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=2))


def _parts(chosen: argparse.Namespace) -> dict[str, Callable[[], Coroutine[Any, Any, dict[str, Any]]]]:
    return {
        "latency": lambda: latency.measure(chosen.times),
        "burst": lambda: burst.measure(chosen.burst, chosen.connections),
        "crowd": lambda: crowd.measure(chosen.resources, chosen.idle, chosen.repaired),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.kubernetes_operator",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", choices=_PARTS, default=_PARTS, help="what to measure")
    parser.add_argument("--times", type=int, default=25, help="latency: resources applied one by one")
    parser.add_argument("--burst", type=int, default=500, help="burst: resources applied at once")
    parser.add_argument("--connections", type=int, default=20, help="burst: connections of the one client")
    parser.add_argument("--resources", type=int, default=1000, help="crowd: resources that are there")
    parser.add_argument("--idle", type=float, default=60, help="crowd: idle seconds")
    parser.add_argument("--repaired", type=int, default=5, help="crowd: resources that are meddled with")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
