"""From the value that a task holds to the place where its image is; nothing is read here."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from yarl import URL

from lsb_backend.media import address
from lsb_backend.media.error import MediaError, Reason

CLOUD_SCHEMES = ("s3", "gs", "azure-blob")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
# What Label Studio serves as media. Any other path may be an action, or make it ask this backend without end.
_SERVED = re.compile(
    r"/data/upload/.|/data/local-files/?\?|/storage-data/uploaded/?\?"
    r"|/(?:tasks|projects)/\d+/(?:resolve|presign)/?\?"
)
_LOCAL_FILES = re.compile(r"/data/local-files/?\?")
_MEDIA_URL = "/data/"


@dataclass(frozen=True, slots=True)
class Remote:
    """An address to GET; `trusted` means that it is Label Studio's own and is sent our token."""

    url: URL
    trusted: bool


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file at `path` below the mounted media `directory`; `remote` is asked where it is missing there."""

    directory: Path
    path: PurePosixPath
    remote: Remote


@dataclass(frozen=True, slots=True)
class Inline:
    """A data: URI, undecoded."""

    uri: str


Source = Remote | LocalFile | Inline


def locate(
    task_id: int | None, value: str, label_studio: URL, hosts: Sequence[str], directory: Path | None
) -> Source:
    """Where the image is that a task names with `value`.

    `label_studio` is the URL of Label Studio with its sub-path, `hosts` are others that may be asked,
    `directory` is the mounted media folder of Label Studio (the one that holds `upload/`).
    Raises MediaError for what is no address, or lies where nobody allowed us to look.
    """
    address.require_text(value)
    found = _SCHEME.match(value)
    scheme = found[1].lower() if found else None
    if scheme is None:
        return _of_label_studio(value, label_studio, directory)
    if scheme == "data":
        return Inline(value)
    if scheme in CLOUD_SCHEMES:
        return _presigned(task_id, value, label_studio)
    if scheme in ("http", "https"):
        return _absolute(value, label_studio, hosts, directory)
    raise MediaError(
        Reason.NOT_AN_ADDRESS,
        f"Images at {scheme[:20]}: cannot be read: use an upload, http, https, s3, gs, azure-blob or data.",
    )


def redirected(remote: Remote, location: str, hosts: Sequence[str]) -> Remote:
    """Where a redirect from `remote` leads.

    Label Studio may send us anywhere (to a bucket, with a signed address); every other host only to itself
    or to `hosts`. The token goes no further than to Label Studio, and not back there from elsewhere.
    """
    target = address.parse(str(remote.url.join(URL(address.encode(location), encoded=True))))
    inside = address.origin(target) == address.origin(remote.url)
    if not (remote.trusted or inside or address.allowed(target, hosts)):
        raise _forbidden(target)
    return Remote(target, trusted=remote.trusted and inside)


def _of_label_studio(reference: str, label_studio: URL, directory: Path | None) -> Remote | LocalFile:
    found = _SERVED.search(reference)
    if found is None or reference.startswith("//") or len(reference) > address.LONGEST:
        raise MediaError(
            Reason.NOT_AN_ADDRESS,
            f"{reference[: address.SHOWN]!r} is neither media of Label Studio (/data/...) nor an address.",
        )
    # Under a sub-path Label Studio stores its own prefix in the task; that of our URL replaces it.
    reference = reference[found.start() :]
    path = unquote(reference.partition("?")[0])
    if ".." in re.split(r"[/\\]", path) or "\0" in path:
        raise MediaError(Reason.FORBIDDEN_PATH, f"The path {path[: address.SHOWN]!r} leads out of the media.")
    url = URL(str(label_studio).rstrip("/") + address.encode(reference), encoded=True)
    remote = Remote(url, trusted=True)
    if directory is None or not path.startswith(_MEDIA_URL + "upload/"):
        return remote
    return LocalFile(directory, PurePosixPath(path.removeprefix(_MEDIA_URL)), remote)


def _absolute(value: str, label_studio: URL, hosts: Sequence[str], directory: Path | None) -> Source:
    url = address.parse(value)
    if address.origin(url) == address.origin(label_studio):
        return _of_label_studio(url.raw_path_qs, label_studio, directory)
    if address.allowed(url, hosts):
        return Remote(url, trusted=False)
    if _LOCAL_FILES.search(url.raw_path_qs):
        # LABEL_STUDIO_HOST puts the name that people use into these; we may know the server by another.
        return _of_label_studio(url.raw_path_qs, label_studio, directory)
    raise _forbidden(url)


def _presigned(task_id: int | None, value: str, label_studio: URL) -> Remote:
    if task_id is None:
        raise MediaError(Reason.NOT_AN_ADDRESS, "A task without an id cannot hold a file in cloud storage.")
    uri = base64.urlsafe_b64encode(value.encode()).decode()
    base = str(label_studio).rstrip("/")
    return Remote(URL(f"{base}/tasks/{task_id}/presign/").with_query(fileuri=uri), trusted=True)


def _forbidden(url: URL) -> MediaError:
    host = f"{url.host}" if url.is_default_port() else f"{url.host}:{url.port}"
    return MediaError(
        Reason.FORBIDDEN_HOST, f"The host of {address.shown(url)} is not allowed: add {host} to mediaHosts."
    )
