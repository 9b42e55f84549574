"""The base that the images are built on, and a stand-in for it where no registry can be reached."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from images.engine import Engine
from images.errors import ImageError

OFFICIAL = "docker.io/library/python:3.11-slim-bookworm"
STAND_IN = "localhost/lsbackends-stand-in:python-3.11-slim-bookworm"
"""Named as what it is: nobody can take it for Docker's, and no pull replaces it."""
_SUITE = "bookworm"
_MIRROR = "http://deb.debian.org/debian"
# What the official image has, as far as it is Debian's: its Python alone is compiled by Docker's people.
_PACKAGES = ("ca-certificates", "netbase", "tzdata", "python3", "python3-venv")
_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


def base(engine: Engine, wanted: str) -> str:
    """The reference of the base: `wanted`, which may be `stand-in`, or `auto` for one of the two.

    Raises ImageError where it can neither be fetched nor made.
    """
    if wanted == "stand-in":
        return _stand_in(engine)
    reference = OFFICIAL if wanted == "auto" else wanted
    if engine.pulled(reference):
        return reference
    if wanted != "auto":
        raise ImageError(f"base {wanted} cannot be fetched: check its name, or build on `stand-in`")
    print(f"{reference} cannot be fetched: building on a stand-in from Debian's packages, for this machine")
    return _stand_in(engine)


def _stand_in(engine: Engine) -> str:
    """Debian with its own Python in the place of the official image's; made once, in two minutes."""
    if engine.has(STAND_IN):
        return STAND_IN
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        raise ImageError(
            "the stand-in for the base image is made by root with debootstrap: install that (apt-get install "
            "debootstrap), or name a base that can be had with BASE="
        )
    with tempfile.TemporaryDirectory(prefix="lsbackends-base-") as folder:
        root = Path(folder) / "root"
        print(f"Making {STAND_IN} from Debian's packages (some two minutes)", flush=True)
        _bootstrap(root, Path(folder) / "debootstrap.log")
        _import(engine, root, Path(folder) / "root.tar")
    return STAND_IN


def _bootstrap(root: Path, log: Path) -> None:
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(_PACKAGES)}", _SUITE]
    with log.open("wb") as output:
        failed = subprocess.run([*command, str(root), _MIRROR], stdout=output, stderr=output).returncode
    if failed:
        raise ImageError(f"debootstrap failed: {log.read_text(errors='replace').strip().splitlines()[-1]}")
    for cached in [*root.glob("var/cache/apt/archives/*.deb"), *root.glob("var/lib/apt/lists/*_*")]:
        cached.unlink()
    for name in ("python3", "python"):
        (root / "usr/local/bin" / name).symlink_to("/usr/bin/python3")


def _import(engine: Engine, root: Path, archive: Path) -> None:
    subprocess.run(["tar", "--numeric-owner", "-C", str(root), "-cf", str(archive), "."], check=True)
    if engine.name != "buildah":
        changes = ("--change", f"ENV PATH={_PATH}", "--change", "CMD python3")
        engine.run("import", *changes, str(archive), STAND_IN)
        return
    container = engine.run("from", "scratch")
    try:
        engine.run("add", container, str(archive), "/")
        engine.run("config", "--env", f"PATH={_PATH}", "--cmd", "python3", container)
        engine.run("commit", container, STAND_IN)
    finally:
        engine.run("rm", container)
