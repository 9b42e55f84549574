"""Gets the file that `model.weights` names: a model of ultralytics, a URL, or a path."""

import hashlib
import http.client
import re
import urllib.error
import urllib.parse
import urllib.request
import urllib.response
from pathlib import Path
from typing import IO

from lsb_crds.errors import UserError

MAXIMUM_BYTES = 4 << 30
_TIMEOUT = 60.0
_CHUNK = 1 << 20
_SHOWN = 200
_CHECKSUM = re.compile(r"^sha256=([0-9a-fA-F]{64})$")
# Of ultralytics' own downloads; the release is the one this version of it takes its models from.
_ASSETS = "https://github.com/ultralytics/assets/releases/download/v8.4.0"


class WeightsError(UserError):
    """`model.weights` names something that cannot be had or is not what it should be."""


def fetch(weights: str, folder: Path) -> Path:
    """The file, downloaded into `folder` unless `weights` is a path.

    Raises WeightsError if it cannot be had, is larger than the limit, or does not match its `#sha256=`.
    """
    address, _, fragment = weights.partition("#")
    if urllib.parse.urlsplit(address).scheme in ("http", "https"):
        return _download(address, folder / "downloaded.pt", _checksum(weights, fragment))
    path, exists = _looked_for(weights)
    if path.is_file():
        return path
    if exists:
        raise WeightsError(f"model.weights: {path} is not a file: name a .pt file")
    if weights in _known_names():
        return _download(f"{_ASSETS}/{weights}", folder / weights, None)
    raise WeightsError(
        f"model.weights: there is no file {path}, and ultralytics has no model of that name: "
        "give a path, a URL, or a name such as yolov8n.pt"
    )


def _looked_for(weights: str) -> tuple[Path, bool]:
    """The path that `weights` names, and whether anything is there."""
    try:
        path = Path(weights).expanduser()
        return path, path.exists()
    # The home folder of nobody, or a name that no file can have.
    except (RuntimeError, OSError) as error:
        raise WeightsError(
            f"model.weights: {weights[:_SHOWN]} cannot be looked for ({error}): give the path of a .pt file"
        ) from None


def _known_names() -> frozenset[str]:
    from ultralytics.utils.downloads import GITHUB_ASSETS_NAMES

    return frozenset(GITHUB_ASSETS_NAMES)


def _checksum(weights: str, fragment: str) -> str | None:
    if not fragment:
        return None
    match = _CHECKSUM.match(fragment)
    if match is None:
        shown = weights.partition("#")[0]
        raise WeightsError(f"model.weights: after {shown}# must come sha256= and 64 hexadecimal digits")
    return match[1].lower()


def _download(url: str, path: Path, expected: str | None) -> Path:
    """Checked before anybody loads it: a .pt file runs what it contains."""
    shown = _without_secrets(url)
    try:
        request = urllib.request.Request(url, headers={"Accept-Encoding": "identity"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer, path.open("wb") as file:  # noqa: S310
            found = _copy(answer, file, shown)
            _require_whole(answer, file.tell(), shown)
    except urllib.error.HTTPError as error:
        raise WeightsError(
            f"model.weights: {shown} answers {error.code} {error.reason}: check the URL"
        ) from None
    # Not OSError, which a full disk is too.
    except (
        urllib.error.URLError,
        TimeoutError,
        ConnectionError,
        http.client.HTTPException,
        UnicodeError,
    ) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise WeightsError(
            f"model.weights: {shown} cannot be downloaded ({reason!s:.200}): without a way to the internet, "
            "get the file by other means and give its path"
        ) from None
    if expected is not None and found != expected:
        raise WeightsError(
            f"model.weights: {shown} has SHA-256 {found} and not {expected}: it was not loaded; "
            "correct the checksum if the file is the right one"
        )
    return path


def _copy(answer: IO[bytes], file: IO[bytes], shown: str) -> str:
    """Copy to the end; the SHA-256 of what came."""
    digest, size = hashlib.sha256(), 0
    while chunk := answer.read(_CHUNK):
        size += len(chunk)
        if size > MAXIMUM_BYTES:
            raise WeightsError(
                f"model.weights: {shown} is larger than {MAXIMUM_BYTES:,} bytes: not downloaded"
            )
        digest.update(chunk)
        file.write(chunk)
    return digest.hexdigest()


def _require_whole(answer: urllib.response.addinfourl, size: int, shown: str) -> None:
    # Python gives what there is when a connection breaks off in the middle of a body.
    announced = answer.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) != size:
        raise WeightsError(
            f"model.weights: {shown} broke off after {size:,} of {int(announced):,} bytes: try again"
        )


def _without_secrets(url: str) -> str:
    """The URL without user, password and query, which may hold a signature."""
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
