"""Keeps the libraries from reporting to their makers."""

import os
import sys
from typing import Any


def disable_telemetry() -> None:
    """Turn off what ONNX Runtime and OpenVINO send. Call it before either is imported: they read it once.

    ONNX Runtime's builds for Linux report to Microsoft since 1.29, and keep a device id and a queue in the
    home folder. `import openvino` alone reports to Google Analytics unless its telemetry package is missing.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    modules: dict[str, Any] = sys.modules
    # None is Python's mark for a module that cannot be imported.
    modules.setdefault("openvino_telemetry", None)
