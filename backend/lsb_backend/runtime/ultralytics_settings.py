"""Makes ultralytics keep to itself: no telemetry, installs, downloads, or files outside its own folder."""

import atexit
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

from lsb_backend.runtime.telemetry import disable_telemetry
from lsb_backend.runtime.threads import cpu_quota

# Names of the fonts ultralytics would otherwise download for its plots.
_FONTS = ("Arial.ttf", "Arial.Unicode.ttf")


def ultralytics_environment() -> None:
    """Prepare this process, and those it starts, for `import ultralytics`. Call it before that import.

    A `YOLO_CONFIG_DIR` that is already set is used as it is; otherwise a temporary folder is, which goes
    with the process. Ultralytics is imported here, and torch with it.
    """
    disable_telemetry()
    folder = _own_folder()
    os.environ.update(
        YOLO_AUTOINSTALL="false",
        # Said without looking: the look-up is a DNS query at import that takes seconds without a network.
        # It does not forbid the download of weights that a manifest names.
        YOLO_OFFLINE="true",
        YOLO_VERBOSE="false",
    )
    os.environ.setdefault("MPLCONFIGDIR", str(folder / "matplotlib"))
    # Ultralytics would set 1, and libraries read it only once.
    os.environ.setdefault("OMP_NUM_THREADS", str(cpu_quota()))
    # Threads that spin while they wait starve each other as soon as a second process wants the same cores:
    # measured with serving and training on two cores, one picture takes 0.2 s instead of 4.7 s.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    _provide_fonts(folder / "Ultralytics")

    from ultralytics import settings

    integrations = ("sync", "clearml", "comet", "dvc", "mlflow", "raytune", "tensorboard", "wandb")
    messages = ("vscode_msg", "openvino_msg")
    folders = {f"{name}_dir": str(folder / name) for name in ("datasets", "weights", "runs")}
    settings.update({**dict.fromkeys((*integrations, *messages), False), **folders})


def _own_folder() -> Path:
    if "YOLO_CONFIG_DIR" not in os.environ:
        folder = tempfile.mkdtemp(prefix="lsbackends-ultralytics-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["YOLO_CONFIG_DIR"] = folder
    return Path(os.environ["YOLO_CONFIG_DIR"])


def _provide_fonts(folder: Path) -> None:
    """Put the font that comes with matplotlib where ultralytics looks before it downloads one."""
    matplotlib = importlib.util.find_spec("matplotlib")
    if matplotlib is None or matplotlib.origin is None:
        return
    font = Path(matplotlib.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
    folder.mkdir(parents=True, exist_ok=True)
    for name in _FONTS:
        if not (folder / name).exists():
            shutil.copyfile(font, folder / name)
