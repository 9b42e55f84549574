"""Makes the file that serves without torch from the weights."""

import os
import tempfile
from pathlib import Path

import numpy as np

from lsb_backend.runtime.errors import ExportError, first_line
from lsb_backend.runtime.onnx import OnnxNetwork
from lsb_backend.runtime.threads import cpu_quota
from lsb_backend.runtime.ultralytics_settings import ultralytics_environment
from lsb_backend.store import atomic


def export_onnx(weights: Path, destination: Path, image_size: int) -> None:
    """Write the network in `weights` to `destination` as ONNX, whole or not at all.

    Batch, height and width stay free; `image_size` in pixels is only the size it is traced with.
    Raises ExportError, and OSError where there is no room.
    """
    ultralytics_environment()
    from ultralytics import YOLO

    # Ultralytics writes beside the weights, which may be read-only or watched: it gets a link of its own.
    with tempfile.TemporaryDirectory(prefix=atomic.TEMPORARY_PREFIX, dir=destination.parent) as folder:
        link = Path(folder) / "weights.pt"
        link.symlink_to(weights.resolve())
        try:
            exported = YOLO(link).export(format="onnx", dynamic=True, imgsz=image_size, device="cpu")
        except OSError:
            raise
        except Exception as error:  # ultralytics and torch raise what comes up
            raise ExportError(f"{weights}: cannot be exported to ONNX ({first_line(error)})") from error
        _check_loads(Path(exported))
        atomic.sync_tree(Path(exported).parent)
        os.replace(exported, destination)
    atomic.sync_folder(destination.parent)


def _check_loads(exported: Path) -> None:
    try:
        network = OnnxNetwork(exported, cpu_quota())
        # Two pictures that are neither square nor of the traced size: proof that all three stayed free.
        network.forward(np.zeros((2, 64, 96, 3), dtype=np.uint8))
    except Exception as error:  # onnxruntime has its own classes for each failure
        raise ExportError(
            f"{exported.name}: exported, but cannot be loaded again ({first_line(error)})"
        ) from error
