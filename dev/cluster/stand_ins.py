"""Stand-ins, named as the real images, for machines that no registry can be reached from.

Those of this project run the locked environment of this checkout, which is shown to containers.
"""

import re
from pathlib import Path
from typing import Any

from cluster import layers
from cluster.errors import ClusterError
from cluster.oci import Entry, Image
from cluster.progress import Progress
from lsb_crds.release import release
from lsb_crds.resolve import REDIS_IMAGE, REGISTRY

CHECKOUT = Path(__file__).parents[2]
SANDBOX_IMAGE = "lsbackends.dev/sandbox:1"
PYTHON_IMAGE = "docker.io/library/python:3.11-slim-bookworm"

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LABEL_STUDIO = CHECKOUT / "dev" / "label-studio"
# Not where the built images have something, which may be loaded beside the stand-ins.
_THERE, _LABEL_STUDIO_THERE = Path("/opt/checkout"), Path("/opt/label-studio")
_SERVE = "serve -f /etc/lsbackends/backend.yaml --store /var/lib/lsbackends --host 0.0.0.0"
_NAMES = {"operator": "operator --host 0.0.0.0", "backend-serve": _SERVE, "backend-train": _SERVE}
# Those of the built images.
_VARIABLES = (
    "HOME=/tmp",
    "USER=lsbackends",
    "PYTHONDONTWRITEBYTECODE=1",
    "PYTHONUNBUFFERED=1",
    "ORT_DISABLE_TELEMETRY=1",
    "YOLO_AUTOINSTALL=false",
    "YOLO_OFFLINE=true",
)
_COMMANDS = "/usr/local/lsbackends/bin"
_ROOMS = ("crds", "operator", "backend", "cli")
_USER, _LABEL_STUDIO_USER = 1000, 1001


def label_studio_image() -> str:
    """The name of Label Studio's image, of the version that is locked here."""
    pin = re.search(r"label-studio==([\d.]+)", (_LABEL_STUDIO / "pyproject.toml").read_text())
    if pin is None:
        raise ClusterError(f"{_LABEL_STUDIO / 'pyproject.toml'}: names no version of label-studio")
    return f"docker.io/heartexlabs/label-studio:{pin[1]}"


def shared_folders(checkout: bool) -> dict[Path, Path]:
    """What the stand-ins need of this machine, by its path in a container.

    Label Studio's environment, with `checkout` the checkout and ours in it, and the Pythons of both: those at
    their own paths, which the environments name. The others must be where no pod mounts anything.
    """
    environments = {_LABEL_STUDIO_THERE: _LABEL_STUDIO / ".venv"}
    folders = {}
    if checkout:
        folders[_THERE] = CHECKOUT
        environments[_THERE / ".venv"] = CHECKOUT / ".venv"
    for there, environment in environments.items():
        interpreter = environment / "bin" / "python"
        if not interpreter.exists():
            raise ClusterError(f"{environment}: there is no environment: run `make setup`")
        folders[there] = environment.resolve()
        python = interpreter.resolve().parents[1]
        # Debian's own Python is in the images.
        if python != Path("/usr"):
            folders[python] = python
    return folders


def stand_ins(checkout: bool, progress: Progress) -> list[Image]:
    """Every image that is not built elsewhere; with `checkout` those of this project too."""
    debian = layers.debian(progress)
    python = layers.files(
        "python",
        {
            "usr/local/bin/python3": Entry(target="/usr/bin/python3"),
            "usr/local/bin/python": Entry(target="/usr/bin/python3"),
            "usr/local/bin/pip": Entry(target="/usr/bin/pip3"),
            # The real image's Python takes packages from pip.
            "usr/lib/python3.11/.wh.EXTERNALLY-MANAGED": Entry(b""),
        },
    )
    sandbox = layers.files("sandbox", layers.programs(["sleep"]))
    plain = (debian, python)
    return [
        Image(SANDBOX_IMAGE, (sandbox,), {"Entrypoint": ["/usr/local/bin/sleep", "infinity"]}),
        Image(PYTHON_IMAGE, plain, _configuration(Cmd=["python3"])),
        _redis(),
        _label_studio(plain),
        *(_ours(name, arguments, plain) for name, arguments in (_NAMES if checkout else {}).items()),
    ]


def _configuration(path: str = _PATH, **more: Any) -> dict[str, Any]:
    variables = [f"PATH={path}", *more.pop("Env", ())]
    return {"Env": variables, **more}


def _redis() -> Image:
    entries = {
        **layers.programs(["redis-server", "redis-cli", "sh", "cat", "ls"]),
        "bin/sh": Entry(target="/usr/local/bin/sh"),
        "data": Entry(user=999, group=1000),
        "etc/passwd": Entry(b"root:x:0:0:::\nredis:x:999:1000::/home/redis:/bin/sh\n", mode=0o644),
        "etc/group": Entry(b"root:x:0:\nredis:x:1000:\n", mode=0o644),
        "tmp": Entry(mode=0o1777),
        "usr/local/bin/docker-entrypoint.sh": Entry(_REDIS_ENTRYPOINT),
    }
    configuration = _configuration(
        Entrypoint=["docker-entrypoint.sh"], Cmd=["redis-server"], WorkingDir="/data"
    )
    return Image(REDIS_IMAGE, (layers.files("redis", entries),), configuration)


def _label_studio(below: tuple[Path, ...]) -> Image:
    home = layers.files(
        "label-studio",
        {
            "label-studio": Entry(user=_LABEL_STUDIO_USER, mode=0o775),
            "label-studio/data": Entry(user=_LABEL_STUDIO_USER, mode=0o775),
            "etc/passwd": _passwd("user", _LABEL_STUDIO_USER, 0, "/label-studio"),
            "usr/local/bin/label-studio": _script(_LABEL_STUDIO_THERE, "label_studio.server", "main"),
            # The real image's Python has what Label Studio needs. A link would not find the environment.
            "usr/local/bin/python3": Entry(
                f'#!/bin/sh\nexec {_LABEL_STUDIO_THERE}/bin/python "$@"\n'.encode()
            ),
        },
    )
    environment = ["HOME=/label-studio", "LABEL_STUDIO_BASE_DATA_DIR=/label-studio/data"]
    configuration = _configuration(
        Env=environment,
        Cmd=["label-studio"],
        User=str(_LABEL_STUDIO_USER),
        WorkingDir="/label-studio",
        ExposedPorts={"8080/tcp": {}},
    )
    return Image(label_studio_image(), (*below, home), configuration)


def _ours(name: str, arguments: str, below: tuple[Path, ...]) -> Image:
    environment = _THERE / ".venv"
    own = layers.files(
        "lsbackends",
        {
            "etc/passwd": _passwd("lsbackends", _USER, _USER, "/tmp"),  # noqa: S108
            "etc/lsbackends": Entry(user=_USER, mode=0o775),
            f"{_COMMANDS.lstrip('/')}/lsb": _script(environment, "lsb_cli.main", "run"),
            "var/lib/lsbackends": Entry(user=_USER, mode=0o775),
        },
    )
    configuration = _configuration(
        # The environment's own `lsb` names its Python by where it is on this machine.
        f"{_COMMANDS}:{environment}/bin:{_PATH}",
        # The environment also names the rooms by where they are on this machine.
        Env=[f"PYTHONPATH={':'.join(str(_THERE / room) for room in _ROOMS)}", *_VARIABLES],
        Entrypoint=["lsb"],
        Cmd=arguments.split(),
        User=f"{_USER}:{_USER}",
        WorkingDir="/tmp",  # noqa: S108
    )
    return Image(f"{REGISTRY}/{name}:{release()}", (*below, own), configuration)


def _script(environment: Path, module: str, function: str) -> Entry:
    """A command of an environment: its own scripts name the Python by where it is on this machine."""
    lines = [f"#!{environment}/bin/python", "import sys", f"from {module} import {function}"]
    return Entry("\n".join([*lines, f"sys.exit({function}())", ""]).encode())


def _passwd(name: str, user: int, group: int, home: str) -> Entry:
    lines = f"root:x:0:0:root:/root:/bin/bash\n{name}:x:{user}:{group}::{home}:/bin/sh\n"
    return Entry(lines.encode(), mode=0o644)


# The real one also gives up root's rights; here a pod names its user.
_REDIS_ENTRYPOINT = b"""\
#!/bin/sh
set -e
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then
  set -- redis-server "$@"
fi
exec "$@"
"""
