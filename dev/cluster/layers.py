"""What the stand-ins for images are made of, kept outside the work tree by the digest of its recipe."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cluster.errors import ClusterError
from cluster.folders import cache
from cluster.oci import Entry, write_layer
from cluster.progress import Progress
from cluster.run import run

_SUITE = "bookworm"
_PACKAGES = "ca-certificates,python3,python3-pip,python3-venv"
# What a running container never reads, and what the real image has elsewhere.
_LEFT_OUT = (
    "./dev/*",
    "./var/cache/apt/*",
    "./var/lib/apt/lists/*",
    "./usr/share/doc/*",
    "./usr/share/man/*",
)


def debian(progress: Progress) -> Path:
    """A layer with a small Debian 12 and its Python: a download and a minute or two, the first time."""
    recipe = " ".join([_SUITE, _PACKAGES, *_LEFT_OUT])
    title = "Making the base of the images with debootstrap (1 to 2 minutes the first time)"

    def make(target: Path) -> None:
        with progress.work(title), tempfile.TemporaryDirectory(dir=target.parent) as folder:
            _debootstrap(Path(folder) / "root", target)

    return _kept("debian", recipe.encode(), make)


def files(name: str, entries: Mapping[str, Entry]) -> Path:
    """A layer with these entries."""
    recipe = repr(sorted(entries.items())).encode()
    return _kept(name, recipe, lambda target: write_layer(target, entries))


def programs(names: Sequence[str]) -> dict[str, Entry]:
    """Programs of this machine for an image's /usr/local/bin, and the libraries that they load."""
    entries: dict[str, Entry] = {}
    for name in names:
        found = shutil.which(name)
        if found is None:
            raise ClusterError(
                f"{name} is not installed, and an image is made of it: run `make node-packages`"
            )
        entries[f"usr/local/bin/{name}"] = Entry(Path(found).read_bytes())
        for library in re.findall(r"(/\S+) \(0x", run("ldd", found)):
            entries[library.lstrip("/")] = Entry(Path(library).read_bytes())
    return entries


def _debootstrap(root: Path, target: Path) -> None:
    run("debootstrap", "--variant=minbase", f"--include={_PACKAGES}", _SUITE, str(root))
    # Programs below a home folder of the machine are shown to containers at their own path.
    (root / "root").chmod(0o755)
    left_out = [f"--exclude={pattern}" for pattern in _LEFT_OUT]
    run("tar", "--numeric-owner", *left_out, "--create", f"--file={target}", f"--directory={root}", ".")


def _kept(name: str, recipe: bytes, make: Callable[[Path], object]) -> Path:
    path = cache() / "layers" / f"{name}-{hashlib.sha256(recipe).hexdigest()[:16]}.tar"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    os.close(handle)
    try:
        make(Path(temporary))
        os.rename(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path
