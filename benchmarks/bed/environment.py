"""The environments that processes of a benchmark run in."""

import os
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

# Whoever sets these has chosen a number of threads; no baseline inherits it by accident.
_THREADS = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def plain() -> dict[str, str]:
    """This process's environment without any choice of threads, and with the imports of this checkout."""
    kept = {name: value for name, value in os.environ.items() if name not in _THREADS}
    return {**kept, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'dev'}", "PYTHONUNBUFFERED": "1"}


def as_shipped(folder: Path) -> dict[str, str]:
    """For ultralytics and openvino as they come, except that they report, install and download nothing."""
    return {
        **plain(),
        "YOLO_CONFIG_DIR": str(folder / "ultralytics"),
        "YOLO_OFFLINE": "true",
        "YOLO_AUTOINSTALL": "false",
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        "ORT_DISABLE_TELEMETRY": "1",
    }
