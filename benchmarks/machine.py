"""The machine of a run, as far as it decides the figures."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

from benchmarks.figures import Machine

from lsb_backend.runtime.threads import cpu_quota

# What the runtimes choose their instructions by.
_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
_LIBRARIES = (
    "lsbackends",
    "openvino",
    "onnxruntime",
    "torch",
    "ultralytics",
    "opencv-python-headless",
    "numpy",
    "starlette",
    "fastapi",
    "uvicorn",
    "aiohttp",
)
_ROOT = Path(__file__).parent.parent


def machine() -> Machine:
    """This machine now."""
    processor = _fields(Path("/proc/cpuinfo").read_text())
    flags = processor.get("flags", "").split()
    return Machine(
        processor=processor.get("model name", platform.processor() or platform.machine()),
        flags=[flag for flag in _FLAGS if flag in flags],
        cores=os.cpu_count() or 1,
        quota=cpu_quota(),
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        libraries=_libraries(),
        commit=_commit(),
        load=round(os.getloadavg()[0], 2),
    )


def _fields(text: str) -> dict[str, str]:
    """`key : value` lines; of a key that comes again, for each further processor, the last counts."""
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _libraries() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _commit() -> str:
    """The commit of this checkout, with a plus sign if something is changed; nothing outside of git."""
    try:
        commit = subprocess.check_output(
            ["git", "rev-parse", "--short=12", "HEAD"], cwd=_ROOT, text=True, stderr=subprocess.DEVNULL
        ).strip()
        changed = subprocess.check_output(["git", "status", "--porcelain"], cwd=_ROOT, text=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f"{commit}+" if changed.strip() else commit
